#pragma once

#include <string>

#include "sdk/core/machine.h"

namespace stele::core {

/// An activity: called → scheduled → started → closed; a cancellation may come in between.
class ActivityMachine final : public Machine {
public:
    ActivityMachine(const ScheduleActivityCall& call);

    enum class CancelResult {
        kNothing,      ///< Nothing to send: closed, abandoned, or asked before.
        kDropCommand,  ///< The schedule command has not been sent; take it back.
        kSendCommand,  ///< Ask the server.
    };
    CancelResult cancel();

    std::int64_t scheduled_event_id() const { return scheduled_event_id_; }
    ActivityCancellation cancellation() const { return cancellation_; }
    Sequence sequence() const { return sequence_; }

    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return state_ == State::kClosed; }

private:
    enum class State { kCalled, kScheduled, kStarted, kClosed };

    void on_scheduled(const HistoryEvent& event);
    void on_cancel_requested(const HistoryEvent& event);
    Failure wrap(Failure cause, std::int64_t started_event_id, const std::string& identity,
                 int retry_state) const;

    Sequence sequence_;
    std::string activity_id_;
    std::string type_;
    ActivityCancellation cancellation_;
    State state_ = State::kCalled;
    bool cancel_asked_ = false;
    std::int64_t scheduled_event_id_ = 0;
};

}  // namespace stele::core
