#pragma once

#include <string>

#include "sdk/core/machine.h"

namespace stele::core {

/// A child workflow: called → initiated → started → closed. Its cancellation is a request to an
/// external workflow, which has a machine of its own.
class ChildMachine final : public Machine {
public:
    explicit ChildMachine(const StartChildCall& call);

    enum class CancelResult { kNothing, kDropCommand, kSendCommand };
    CancelResult cancel();
    Command make_cancel_command(const std::string& reason) const;
    Resolution canceled_before_start() const;

    ChildCancellation cancellation() const { return cancellation_; }
    Sequence sequence() const { return sequence_; }

    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return state_ == State::kClosed; }

private:
    enum class State { kCalled, kInitiated, kStarted, kClosed };

    std::optional<Job> on_started(const HistoryEvent& event);
    std::optional<Job> on_start_failed(const HistoryEvent& event);
    Resolution closed(Resolution::Kind kind, Failure cause, int retry_state) const;

    Sequence sequence_;
    std::string namespace_;
    std::string workflow_id_;
    std::string type_;
    ChildCancellation cancellation_;
    State state_ = State::kCalled;
    bool cancel_asked_ = false;
    std::int64_t initiated_event_id_ = 0;
    std::int64_t started_event_id_ = 0;
    std::string run_id_;
};

}  // namespace stele::core
