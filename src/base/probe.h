#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

// Marks in the engine's code that only the simulator sees (docs/simulation.md):
//
//   STELE_PROBE("shard.alarm.stale")    counts that a rare path was reached
//   STELE_PROBE_IF("shard.alarm.stale", c)  the same when c holds, which is not evaluated elsewhere
//   STELE_FAULT("cache.early-eviction") true when something rare but legal is to happen here
//   STELE_BUG("timer.early")            true when this bug is planted, which the simulator must find
//
// The simulator compiles the files that include this header a second time, with STELE_SIMULATION. In
// every other program the macros are the constants at the end, so nothing is left of them. Put them
// into .cc files only: a header would then differ between files of one program.
namespace stele::probe {

enum class Kind { kProbe, kFault, kBug };

/// One mark, known from the start of the process, reached or not. All marks of one name are one.
/// Not thread safe: a simulation is one thread.
class Site {
public:
    Site(Kind kind, std::string_view name);
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    void reach() { ++count_; }
    /// Whether the fault happens this time: in a quarter of the runs, a quarter of the times.
    bool fires();
    /// Whether this bug is the planted one.
    bool planted() {
        if (planted_) ++count_;
        return planted_;
    }

    Kind kind() const { return kind_; }
    std::string_view name() const { return name_; }
    /// Since the start of the process: probes reached, faults fired, passes by a planted bug.
    std::uint64_t count() const { return count_; }

private:
    friend void begin_run(std::uint64_t seed, bool faults);
    friend void end_faults();
    friend bool plant(std::string_view name);

    const Kind kind_;
    const std::string_view name_;
    std::uint64_t count_ = 0;
    bool active_ = false;
    bool planted_ = false;
    std::uint64_t stream_ = 0;  // of the run's random numbers for this site
};

/// All marks of the program, by kind and name.
const std::vector<Site*>& sites();
/// A run begins: its seed decides which faults are active, and when they happen.
void begin_run(std::uint64_t seed, bool faults);
/// No fault happens in this run from now on.
void end_faults();
/// From now on this bug is the only one; an empty name is none. False when there is no such bug.
bool plant(std::string_view name);

/// A string as a template's argument.
template <std::size_t size>
struct Name {
    consteval Name(const char (&text)[size]) { std::copy_n(text, size, characters); }
    constexpr std::string_view view() const { return {characters, size - 1}; }
    char characters[size]{};
};

/// Made before main, wherever the mark stands, so that one that is never reached is known as well.
template <Kind kind, Name name>
inline Site site{kind, name.view()};

}  // namespace stele::probe

#ifdef STELE_SIMULATION
#define STELE_PROBE(name) (::stele::probe::site<::stele::probe::Kind::kProbe, name>.reach())
#define STELE_PROBE_IF(name, condition)   \
    do {                                  \
        if (condition) STELE_PROBE(name); \
    } while (false)
#define STELE_FAULT(name) (::stele::probe::site<::stele::probe::Kind::kFault, name>.fires())
#else
#define STELE_PROBE(name) static_cast<void>(0)
#define STELE_PROBE_IF(name, condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#define STELE_FAULT(name) false
#endif

#ifdef STELE_BUG_BANK
#define STELE_BUG(name) (::stele::probe::site<::stele::probe::Kind::kBug, name>.planted())
#else
#define STELE_BUG(name) false
#endif
