#pragma once

#include <optional>
#include <string>
#include <utility>

#include "sdk/core/machine.h"

namespace stele::core {

/// The marker that records what a local activity came to. The format is the one that Temporal's tools
/// recognise: a JSON object in `data`, the result in `result`, a failure in the marker's own field.
struct LocalActivityMarker {
    Sequence sequence = 0;
    std::string activity_id;
    std::string type;
    LocalActivityOutcome outcome;

    /// Nothing when the event is another marker.
    static std::optional<LocalActivityMarker> parse(const HistoryEvent& event);
    Command to_command() const;
};

/// A local activity: called → requested from the worker → closed by its outcome, which the worker
/// gives, or the marker while replaying. One that is cancelled and not waited for leaves no marker.
class LocalActivityMachine final : public Machine {
public:
    explicit LocalActivityMachine(LocalActivity activity) : activity_(std::move(activity)) {}

    const LocalActivity& activity() const { return activity_; }
    /// The turn of the code that called it is over.
    void begin() { begun_ = true; }
    bool begun() const { return begun_; }
    /// True once: the worker has to begin with it.
    bool request() { return !std::exchange(requested_, true); }
    bool requested() const { return requested_; }
    void cancel() { cancelled_ = true; }
    bool cancelled() const { return cancelled_; }
    LocalActivityMarker marker(LocalActivityOutcome outcome) const {
        return {activity_.sequence, activity_.activity_id, activity_.type, std::move(outcome)};
    }

    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return matched_; }

private:
    LocalActivity activity_;
    bool begun_ = false;
    bool requested_ = false;
    bool cancelled_ = false;
    bool matched_ = false;
};

}  // namespace stele::core
