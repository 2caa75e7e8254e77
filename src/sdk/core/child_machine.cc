#include "sdk/core/child_machine.h"

#include <utility>

#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

namespace {

Failure canceled(const temporal::api::common::v1::Payloads& details) {
    Failure failure;
    failure.set_message("child workflow canceled");
    *failure.mutable_canceled_failure_info()->mutable_details() = details;
    return failure;
}

Failure timed_out() {
    Failure failure;
    failure.set_message("child workflow timed out");
    failure.mutable_timeout_failure_info()->set_timeout_type(enums::TIMEOUT_TYPE_START_TO_CLOSE);
    return failure;
}

Failure terminated() {
    Failure failure;
    failure.set_message("child workflow terminated");
    failure.mutable_terminated_failure_info();
    return failure;
}

}  // namespace

ChildMachine::ChildMachine(const StartChildCall& call)
    : sequence_(call.sequence), cancellation_(call.cancellation) {
    const auto& attributes = call.command.start_child_workflow_execution_command_attributes();
    namespace_ = attributes.namespace_();
    workflow_id_ = attributes.workflow_id();
    type_ = attributes.workflow_type().name();
}

ChildMachine::CancelResult ChildMachine::cancel() {
    if (cancel_asked_ || state_ == State::kClosed) return CancelResult::kNothing;
    cancel_asked_ = true;
    if (state_ == State::kCalled) {
        state_ = State::kClosed;
        return CancelResult::kDropCommand;
    }
    return cancellation_ == ChildCancellation::kAbandon ? CancelResult::kNothing
                                                        : CancelResult::kSendCommand;
}

Command ChildMachine::make_cancel_command(const std::string& reason) const {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
    auto& attributes =
        *command.mutable_request_cancel_external_workflow_execution_command_attributes();
    attributes.set_namespace_(namespace_);
    attributes.set_workflow_id(workflow_id_);
    attributes.set_child_workflow_only(true);
    attributes.set_reason(reason);
    return command;
}

Resolution ChildMachine::canceled_before_start() const {
    return closed(Resolution::Kind::kCanceled, canceled({}), 0);
}

std::string ChildMachine::describe() const {
    return "child workflow " + std::to_string(sequence_) + " \"" + type_ + "\"";
}

void ChildMachine::on_command_event(const HistoryEvent& event) {
    if (event.event_type() != enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED)
        fail_mismatch(event, *this, "the history has another kind of step");
    const auto& attributes = event.start_child_workflow_execution_initiated_event_attributes();
    if (attributes.workflow_type().name() != type_)
        fail_mismatch(event, *this,
                      "the history started \"" + attributes.workflow_type().name() + "\"");
    if (attributes.workflow_id() != workflow_id_)
        fail_mismatch(event, *this,
                      "the history has the workflow id \"" + attributes.workflow_id() + "\"");
    initiated_event_id_ = event.event_id();
    state_ = State::kInitiated;
}

Resolution ChildMachine::closed(Resolution::Kind kind, Failure cause, int retry_state) const {
    Resolution resolution;
    resolution.kind = kind;
    resolution.failure.set_message("Child workflow execution failed");
    auto& info = *resolution.failure.mutable_child_workflow_execution_failure_info();
    info.set_namespace_(namespace_);
    info.mutable_workflow_execution()->set_workflow_id(workflow_id_);
    info.mutable_workflow_execution()->set_run_id(run_id_);
    info.mutable_workflow_type()->set_name(type_);
    info.set_initiated_event_id(initiated_event_id_);
    info.set_started_event_id(started_event_id_);
    info.set_retry_state(static_cast<enums::RetryState>(retry_state));
    *resolution.failure.mutable_cause() = std::move(cause);
    return resolution;
}

std::optional<Job> ChildMachine::on_started(const HistoryEvent& event) {
    run_id_ =
        event.child_workflow_execution_started_event_attributes().workflow_execution().run_id();
    started_event_id_ = event.event_id();
    state_ = State::kStarted;
    ChildStartedJob job;
    job.sequence = sequence_;
    job.run_id = run_id_;
    return job;
}

std::optional<Job> ChildMachine::on_start_failed(const HistoryEvent& event) {
    const auto cause = event.start_child_workflow_execution_failed_event_attributes().cause();
    Failure failure;
    const bool taken =
        cause == enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;
    failure.set_message(taken ? "the workflow id \"" + workflow_id_ + "\" is taken"
                              : "the child workflow cannot be started: cause " +
                                    std::to_string(cause));
    auto& info = *failure.mutable_application_failure_info();
    info.set_type(taken ? "WorkflowAlreadyStarted" : "ChildWorkflowStartFailed");
    info.set_non_retryable(true);
    state_ = State::kClosed;
    ChildStartedJob job;
    job.sequence = sequence_;
    job.resolution = closed(Resolution::Kind::kFailed, std::move(failure), 0);
    return job;
}

std::optional<Job> ChildMachine::on_consequence(const HistoryEvent& event) {
    ChildResolvedJob job;
    job.sequence = sequence_;
    switch (event.event_type()) {
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: return on_started(event);
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: return on_start_failed(event);
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            job.resolution.result =
                event.child_workflow_execution_completed_event_attributes().result();
            break;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED: {
            const auto& attributes = event.child_workflow_execution_failed_event_attributes();
            job.resolution =
                closed(Resolution::Kind::kFailed, attributes.failure(), attributes.retry_state());
            break;
        }
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            job.resolution = closed(
                Resolution::Kind::kCanceled,
                canceled(event.child_workflow_execution_canceled_event_attributes().details()), 0);
            break;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            job.resolution =
                closed(Resolution::Kind::kFailed, timed_out(),
                       event.child_workflow_execution_timed_out_event_attributes().retry_state());
            break;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            job.resolution = closed(Resolution::Kind::kFailed, terminated(), 0);
            break;
        default: fail_mismatch(event, *this, "this event cannot follow from it");
    }
    state_ = State::kClosed;
    if (cancel_asked_ && !waits_when_cancelled(cancellation_)) return std::nullopt;
    return job;
}

}  // namespace stele::core
