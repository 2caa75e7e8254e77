#pragma once

#include <optional>
#include <set>
#include <string>

#include "sdk/core/machine.h"

namespace stele::core {

/// What a version marker says. The format is the one that Temporal's tools recognise.
struct PatchMarker {
    std::string id;
    bool deprecated = false;

    /// Nothing when the event is another marker.
    static std::optional<PatchMarker> parse(const HistoryEvent& event);
    Command to_command() const;
};

/// The upsert that makes changed runs findable: TemporalChangeVersion with all patches of a run.
/// Nothing when the list has become too long to be indexed.
std::optional<Command> make_change_version_upsert(const std::set<std::string>& patches);
bool is_change_version_upsert(const HistoryEvent& event);

/// A version marker. A deprecated one may be missing on either side.
class PatchMachine final : public Machine {
public:
    explicit PatchMachine(PatchMarker marker) : marker_(std::move(marker)) {}

    bool optional() const { return marker_.deprecated; }
    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return matched_; }

private:
    PatchMarker marker_;
    bool matched_ = false;
};

}  // namespace stele::core
