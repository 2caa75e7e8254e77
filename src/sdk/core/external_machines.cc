#include "sdk/core/external_machines.h"

#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

namespace {

Resolution refused(const std::string& what, const std::string& cause) {
    Resolution resolution;
    resolution.kind = Resolution::Kind::kFailed;
    resolution.failure.set_message(what + ": " + cause);
    auto& info = *resolution.failure.mutable_application_failure_info();
    info.set_type("ExternalWorkflowError");
    info.set_non_retryable(true);
    return resolution;
}

std::string readable(int cause) {
    switch (cause) {
        case enums::
            SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND:
            return "the workflow was not found or has ended";
        case enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND:
            return "the namespace was not found";
        case enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED:
            return "the workflow has received too many signals";
        default: return "cause " + std::to_string(cause);
    }
}

}  // namespace

SignalExternalMachine::SignalExternalMachine(const SignalExternalCall& call)
    : sequence_(call.sequence) {
    const auto& attributes = call.command.signal_external_workflow_execution_command_attributes();
    workflow_id_ = attributes.execution().workflow_id();
    signal_ = attributes.signal_name();
}

bool SignalExternalMachine::drop() {
    if (state_ != State::kCalled) return false;
    state_ = State::kClosed;
    return true;
}

std::string SignalExternalMachine::describe() const {
    return "signal \"" + signal_ + "\" to workflow \"" + workflow_id_ + "\"";
}

void SignalExternalMachine::on_command_event(const HistoryEvent& event) {
    if (event.event_type() != enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED)
        fail_mismatch(event, *this, "the history has another kind of step");
    const auto& attributes = event.signal_external_workflow_execution_initiated_event_attributes();
    if (attributes.signal_name() != signal_ ||
        attributes.workflow_execution().workflow_id() != workflow_id_)
        fail_mismatch(event, *this,
                      "the history sends \"" + attributes.signal_name() + "\" to \"" +
                          attributes.workflow_execution().workflow_id() + "\"");
    state_ = State::kInitiated;
}

std::optional<Job> SignalExternalMachine::on_consequence(const HistoryEvent& event) {
    SignalExternalResolvedJob job;
    job.sequence = sequence_;
    if (event.event_type() == enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED) {
        job.resolution = refused(
            "cannot signal workflow " + workflow_id_,
            readable(event.signal_external_workflow_execution_failed_event_attributes().cause()));
    } else if (event.event_type() != enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED) {
        fail_mismatch(event, *this, "this event cannot follow from it");
    }
    state_ = State::kClosed;
    return job;
}

CancelExternalMachine::CancelExternalMachine(const CancelExternalCall& call)
    : sequence_(call.sequence),
      child_(call.child),
      workflow_id_(call.command.request_cancel_external_workflow_execution_command_attributes()
                       .workflow_id()) {}

std::string CancelExternalMachine::describe() const {
    return "cancellation of workflow \"" + workflow_id_ + "\"";
}

void CancelExternalMachine::on_command_event(const HistoryEvent& event) {
    if (event.event_type() !=
        enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED)
        fail_mismatch(event, *this, "the history has another kind of step");
    const auto& recorded =
        event.request_cancel_external_workflow_execution_initiated_event_attributes()
            .workflow_execution()
            .workflow_id();
    if (recorded != workflow_id_)
        fail_mismatch(event, *this, "the history cancels \"" + recorded + "\"");
}

std::optional<Job> CancelExternalMachine::on_consequence(const HistoryEvent& event) {
    CancelExternalResolvedJob job;
    job.sequence = sequence_;
    if (event.event_type() == enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED) {
        const auto& attributes =
            event.request_cancel_external_workflow_execution_failed_event_attributes();
        job.resolution = refused("cannot cancel workflow " + workflow_id_,
                                 attributes.cause() == 1 ? "the workflow was not found or has ended"
                                                         : readable(attributes.cause()));
    } else if (event.event_type() !=
               enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED) {
        fail_mismatch(event, *this, "this event cannot follow from it");
    }
    closed_ = true;
    if (child_) return ChildCancelRequestedJob{*child_};
    return job;
}

}  // namespace stele::core
