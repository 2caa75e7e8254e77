#pragma once

#include "stele/detail/definition.h"
#include "stele/messages.h"
#include "stele/workflow.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

// The workflows of the C++ SDK in the simulation. The code works through a script, a letter a step,
// and keeps a journal of what it has seen, which is its result: histories are held against it.
//
//   A  an activity             P  three at once           R  one against a timer; the loser is cancelled
//   L  a local activity        M  two of them and a timer, all of which end
//   T  a timer                 S  waits for one more signal than before      Q  the same, not for long
//   C  a child                 K  a child against a timer
//   X  signals its neighbour   V  changes its memo       D  a patch          I  draws a UUID
//   N  continues as new with the rest
//
// At the end F fails the workflow, and ! lets a cancellation through that would otherwise be a success.
// Entries of the journal are a letter, the number of the step in its run, and what came of it:
//   "A 3 = text"  "A 3 failed"  "T 1000 1000123"  "X 4 text"  "Z 5 = text" for the clean-up
// and beside the script "S text" for a signal, "U id" and "V id" for an update begun and done.
namespace stele::sim {

using Journal = std::vector<std::string>;

inline constexpr char kSdkType[] = "sdk-script";
inline constexpr char kSdkChildType[] = "sdk-leaf";
inline constexpr char kSdkQuery[] = "journal";
inline constexpr char kSdkSignal[] = "step";
/// From one workflow to another.
inline constexpr char kSdkGreeting[] = "greeting";
inline constexpr char kSdkActivity[] = "work";
inline constexpr char kSdkLocalActivity[] = "near";

wf::task<Journal> sdk_script(std::string script, std::string neighbour, Journal journal);
wf::task<std::string> sdk_leaf(int number);

/// Registers both.
template <class Target>
void register_sdk_workflows(Target& target) {
    const auto add = [&target](const char* name, auto make) {
        wf::detail::Definition definition;
        definition.name = name;
        definition.make = std::move(make);
        target.add(std::move(definition));
    };
    add(kSdkType, [] { return std::make_unique<wf::detail::FunctionBody<sdk_script>>(); });
    add(kSdkChildType, [] { return std::make_unique<wf::detail::FunctionBody<sdk_leaf>>(); });
}

/// While a history is replayed: where its code leaves the journal at its end. Null otherwise.
class ReplayedJournal {
public:
    ReplayedJournal();
    ~ReplayedJournal();
    ReplayedJournal(const ReplayedJournal&) = delete;

    /// Nothing for code that did not come to its end.
    std::optional<Journal> journal;
};

}  // namespace stele::sim
