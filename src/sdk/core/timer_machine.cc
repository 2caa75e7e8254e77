#include "sdk/core/timer_machine.h"

#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

TimerMachine::TimerMachine(const StartTimerCall& call)
    : sequence_(call.sequence),
      timer_id_(call.command.start_timer_command_attributes().timer_id()) {}

TimerMachine::CancelResult TimerMachine::cancel() {
    switch (state_) {
        case State::kCalled: state_ = State::kClosed; return CancelResult::kDropCommand;
        case State::kStarted: state_ = State::kCancelling; return CancelResult::kSendCommand;
        default: return CancelResult::kNothing;
    }
}

std::string TimerMachine::describe() const {
    return std::string(state_ == State::kCancelling ? "the cancellation of " : "") + "timer " +
           timer_id_;
}

void TimerMachine::on_command_event(const HistoryEvent& event) {
    if (event.event_type() == enums::EVENT_TYPE_TIMER_STARTED && state_ != State::kStarted) {
        const auto& recorded = event.timer_started_event_attributes().timer_id();
        if (recorded != timer_id_)
            fail_mismatch(event, *this, "the history has the timer id \"" + recorded + "\"");
        state_ = State::kStarted;
    } else if (event.event_type() == enums::EVENT_TYPE_TIMER_CANCELED &&
               state_ == State::kCancelling) {
        const auto& recorded = event.timer_canceled_event_attributes().timer_id();
        if (recorded != timer_id_)
            fail_mismatch(event, *this, "the history cancels timer \"" + recorded + "\"");
        state_ = State::kClosed;
    } else {
        fail_mismatch(event, *this, "the history has another kind of step");
    }
}

std::optional<Job> TimerMachine::on_consequence(const HistoryEvent& event) {
    if (event.event_type() != enums::EVENT_TYPE_TIMER_FIRED)
        fail_mismatch(event, *this, "this event cannot follow from it");
    if (state_ == State::kCancelling)
        fail_mismatch(event, *this, "the workflow code cancels the timer that fired");
    state_ = State::kClosed;
    return TimerFiredJob{sequence_};
}

}  // namespace stele::core
