#include "sdk/core/activity_machine.h"

#include <utility>

#include "sdk/core/history_buffer.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

ActivityMachine::ActivityMachine(const ScheduleActivityCall& call)
    : sequence_(call.sequence), cancellation_(call.cancellation) {
    const auto& attributes = call.command.schedule_activity_task_command_attributes();
    activity_id_ = attributes.activity_id();
    type_ = attributes.activity_type().name();
}

ActivityMachine::CancelResult ActivityMachine::cancel() {
    if (cancel_asked_ || state_ == State::kClosed) return CancelResult::kNothing;
    cancel_asked_ = true;
    if (state_ == State::kCalled) {
        state_ = State::kClosed;
        return CancelResult::kDropCommand;
    }
    return cancellation_ == ActivityCancellation::kAbandon ? CancelResult::kNothing
                                                           : CancelResult::kSendCommand;
}

std::string ActivityMachine::describe() const {
    return "activity " + std::to_string(sequence_) + " \"" + type_ + "\"" +
           (cancel_asked_ ? " or its cancellation" : "");
}

void ActivityMachine::on_command_event(const HistoryEvent& event) {
    if (event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) {
        on_scheduled(event);
    } else if (event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED) {
        on_cancel_requested(event);
    } else {
        fail_mismatch(event, *this, "the history has another kind of step");
    }
}

void ActivityMachine::on_scheduled(const HistoryEvent& event) {
    const auto& attributes = event.activity_task_scheduled_event_attributes();
    if (attributes.activity_type().name() != type_)
        fail_mismatch(event, *this,
                      "the history scheduled \"" + attributes.activity_type().name() + "\"");
    if (attributes.activity_id() != activity_id_)
        fail_mismatch(event, *this,
                      "the history has the activity id \"" + attributes.activity_id() + "\"");
    scheduled_event_id_ = event.event_id();
    state_ = State::kScheduled;
}

void ActivityMachine::on_cancel_requested(const HistoryEvent& event) {
    const auto& attributes = event.activity_task_cancel_requested_event_attributes();
    if (attributes.scheduled_event_id() != scheduled_event_id_)
        fail_mismatch(event, *this,
                      "the history cancels the activity of event " +
                          std::to_string(attributes.scheduled_event_id()));
}

Failure ActivityMachine::wrap(Failure cause, std::int64_t started_event_id,
                              const std::string& identity, int retry_state) const {
    Failure failure;
    failure.set_message("Activity task failed");
    auto& info = *failure.mutable_activity_failure_info();
    info.set_scheduled_event_id(scheduled_event_id_);
    info.set_started_event_id(started_event_id);
    info.set_identity(identity);
    info.mutable_activity_type()->set_name(type_);
    info.set_activity_id(activity_id_);
    info.set_retry_state(static_cast<enums::RetryState>(retry_state));
    *failure.mutable_cause() = std::move(cause);
    return failure;
}

std::optional<Job> ActivityMachine::on_consequence(const HistoryEvent& event) {
    ActivityResolvedJob job;
    job.sequence = sequence_;
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED: state_ = State::kStarted; return std::nullopt;
        case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            job.resolution.result = event.activity_task_completed_event_attributes().result();
            break;
        case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: {
            const auto& attributes = event.activity_task_failed_event_attributes();
            job.resolution.kind = Resolution::Kind::kFailed;
            job.resolution.failure = wrap(attributes.failure(), attributes.started_event_id(),
                                          attributes.identity(), attributes.retry_state());
            break;
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: {
            const auto& attributes = event.activity_task_timed_out_event_attributes();
            job.resolution.kind = Resolution::Kind::kFailed;
            job.resolution.failure = wrap(attributes.failure(), attributes.started_event_id(), "",
                                          attributes.retry_state());
            break;
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED: {
            const auto& attributes = event.activity_task_canceled_event_attributes();
            Failure canceled;
            canceled.set_message("activity canceled");
            *canceled.mutable_canceled_failure_info()->mutable_details() = attributes.details();
            job.resolution.kind = Resolution::Kind::kCanceled;
            job.resolution.failure =
                wrap(std::move(canceled), attributes.started_event_id(), attributes.identity(), 0);
            break;
        }
        default: fail_mismatch(event, *this, "this event cannot follow from it");
    }
    state_ = State::kClosed;
    // Whoever does not wait for the answer to a cancellation has been told already.
    if (cancel_asked_ && cancellation_ != ActivityCancellation::kWaitCompleted) return std::nullopt;
    return job;
}

}  // namespace stele::core
