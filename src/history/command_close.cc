#include "history/command.h"
#include "history/next_run.h"

#include <utility>

// Commands by which a workflow ends itself: completed, failed, canceled. After the first two it may
// begin again.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

CommandResult handle_complete_workflow(Completion& completion, const Command& command) {
    if (CommandResult refusal = refuse_unseen_events(completion)) return refusal;
    if (!command.has_complete_workflow_execution_command_attributes()) {
        return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES,
                      "CompleteWorkflowExecutionCommandAttributes is not set on "
                      "CompleteWorkflowExecutionCommand.");
    }
    const auto& attributes = command.complete_workflow_execution_command_attributes();
    // The cause is the one that clients of Temporal see here.
    if (CommandResult refusal = check_blob_size(
            completion, attributes.result().ByteSizeLong(),
            enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES,
            "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.")) {
        return refusal;
    }
    Builder& builder = completion.builder;
    const NextRun next = decide_next_run(builder);
    HistoryEvent event = command_event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, command);
    auto& completed = *event.mutable_workflow_execution_completed_event_attributes();
    if (attributes.has_result()) *completed.mutable_result() = attributes.result();
    completed.set_workflow_task_completed_event_id(completion.completed.value());
    completed.set_new_execution_run_id(next.run_id);
    builder.add_event(std::move(event));
    LastOutcome last;
    if (attributes.has_result()) last.result = attributes.result();
    add_next_run(builder, next, last);
    builder.close_run(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
    return std::nullopt;
}

CommandResult handle_fail_workflow(Completion& completion, const Command& command) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES;
    if (CommandResult refusal = refuse_unseen_events(completion)) return refusal;
    if (!command.has_fail_workflow_execution_command_attributes()) {
        return refuse(kBad,
                      "FailWorkflowExecutionCommandAttributes is not set on "
                      "FailWorkflowExecutionCommand.");
    }
    const auto& attributes = command.fail_workflow_execution_command_attributes();
    if (!attributes.has_failure()) {
        return refuse(kBad, "Failure is not set on FailWorkflowExecutionCommand.");
    }
    if (CommandResult refusal =
            check_blob_size(completion, attributes.failure().ByteSizeLong(), kBad,
                            "FailWorkflowExecutionCommandAttributes.Failure exceeds size limit.")) {
        return refusal;
    }
    Builder& builder = completion.builder;
    const NextRun next = decide_next_run(builder, attributes.failure());
    HistoryEvent event = command_event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, command);
    auto& failed = *event.mutable_workflow_execution_failed_event_attributes();
    *failed.mutable_failure() = attributes.failure();
    failed.set_retry_state(next.retry_state);
    failed.set_workflow_task_completed_event_id(completion.completed.value());
    failed.set_new_execution_run_id(next.run_id);
    builder.add_event(std::move(event));
    LastOutcome last;
    last.failure = attributes.failure();
    // A scheduled run remembers the last result over failures; a run that is tried again does not.
    if (next.initiator == enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE) {
        last.result = inherited_result(builder);
    }
    add_next_run(builder, next, last);
    builder.close_run(enums::WORKFLOW_EXECUTION_STATUS_FAILED);
    return std::nullopt;
}

CommandResult handle_cancel_workflow(Completion& completion, const Command& command) {
    if (CommandResult refusal = refuse_unseen_events(completion)) return refusal;
    if (!command.has_cancel_workflow_execution_command_attributes()) {
        return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_WORKFLOW_EXECUTION_ATTRIBUTES,
                      "CancelWorkflowExecutionCommandAttributes is not set on "
                      "CancelWorkflowExecutionCommand.");
    }
    const auto& attributes = command.cancel_workflow_execution_command_attributes();
    HistoryEvent event = command_event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, command);
    auto& canceled = *event.mutable_workflow_execution_canceled_event_attributes();
    if (attributes.has_details()) *canceled.mutable_details() = attributes.details();
    canceled.set_workflow_task_completed_event_id(completion.completed.value());
    completion.builder.add_event(std::move(event));
    completion.builder.close_run(enums::WORKFLOW_EXECUTION_STATUS_CANCELED);
    return std::nullopt;
}

}  // namespace stele::history
