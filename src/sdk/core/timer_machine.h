#pragma once

#include <string>

#include "sdk/core/machine.h"

namespace stele::core {

/// A timer: called → started → fired or cancelled. The code learns of a cancellation at once.
class TimerMachine final : public Machine {
public:
    explicit TimerMachine(const StartTimerCall& call);

    enum class CancelResult { kNothing, kDropCommand, kSendCommand };
    CancelResult cancel();

    const std::string& timer_id() const { return timer_id_; }
    Sequence sequence() const { return sequence_; }

    std::string describe() const override;
    void on_command_event(const HistoryEvent& event) override;
    std::optional<Job> on_consequence(const HistoryEvent& event) override;
    bool done() const override { return state_ == State::kClosed; }

private:
    enum class State { kCalled, kStarted, kCancelling, kClosed };

    Sequence sequence_;
    std::string timer_id_;
    State state_ = State::kCalled;
};

}  // namespace stele::core
