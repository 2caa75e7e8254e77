#include "base/probe.h"
#include "history/workflow_task.h"

#include <utility>

// How a workflow task ends without being completed: failed, or timed out.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

/// Takes the task away. A task that failed on a sticky queue is tried again at once elsewhere and
/// does not count: it may have been that worker's cache that was wrong.
void drop_task(Builder& builder, bool count_attempt) {
    builder.withdraw_workflow_task_dispatch();
    storage::HeaderRow& header = builder.header();
    const std::int32_t attempt = header.task().attempt();
    if (!header.sticky_task_queue().empty()) {
        STELE_PROBE("history.sticky-task-failed");
        count_attempt = false;
        forget_sticky_queue(header);
    }
    header.set_close_attempted(false);
    header.mutable_task()->Clear();
    header.mutable_task()->set_attempt(count_attempt ? attempt + 1 : 1);
    if (count_attempt) {
        header.set_consecutive_task_problems(header.consecutive_task_problems() + 1);
    }
    report_task_problems(builder);
}

EventId add_timed_out_event(Builder& builder, enums::TimeoutType type) {
    const storage::WorkflowTask& task = builder.header().task();
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT);
    auto& attributes = *event.mutable_workflow_task_timed_out_event_attributes();
    attributes.set_scheduled_event_id(task.scheduled_event_id());
    attributes.set_started_event_id(task.started_event_id());
    attributes.set_timeout_type(type);
    return builder.add_event(std::move(event));
}

}  // namespace

void fail_started_task(Builder& builder, WorkflowTaskFailedCause cause,
                       const api::failure::v1::Failure& failure, const std::string& identity,
                       const std::string& binary_checksum) {
    builder.write_speculative_task(identity);
    const storage::WorkflowTask& task = builder.header().task();
    if (task.kind() == storage::TASK_KIND_NORMAL) {
        HistoryEvent event;
        event.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
        auto& attributes = *event.mutable_workflow_task_failed_event_attributes();
        attributes.set_scheduled_event_id(task.scheduled_event_id());
        attributes.set_started_event_id(task.started_event_id());
        attributes.set_cause(cause);
        if (failure.ByteSizeLong() > 0) *attributes.mutable_failure() = failure;
        attributes.set_identity(identity);
        attributes.set_binary_checksum(binary_checksum);
        builder.add_event(std::move(event));
        builder.header().set_last_task_failed_cause(cause);
        builder.header().clear_last_task_timeout();
    }
    drop_task(builder, true);
    if (cause == enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND) {
        builder.header().set_close_attempted(true);
    }
}

void time_out_started_task(Builder& builder) {
    STELE_PROBE("history.task-timed-out");
    builder.write_speculative_task();
    if (builder.header().task().kind() == storage::TASK_KIND_NORMAL) {
        add_timed_out_event(builder, enums::TIMEOUT_TYPE_START_TO_CLOSE);
        builder.header().set_last_task_timeout(enums::TIMEOUT_TYPE_START_TO_CLOSE);
    }
    drop_task(builder, true);
}

void time_out_scheduled_task(Builder& builder) {
    STELE_PROBE("history.task-not-taken-in-time");
    builder.write_speculative_task();
    add_timed_out_event(builder, enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
    drop_task(builder, false);
}

Timestamp workflow_task_deadline(const storage::HeaderRow& header) {
    const storage::WorkflowTask& task = header.task();
    if (task.kind() == storage::TASK_KIND_NONE) return kNever;
    if (task.started_event_id() != 0) {
        if (STELE_BUG("history.task-timeout-forgotten")) return kNever;
        return add_saturating(from_proto(task.started_time()), from_proto(task.start_to_close()));
    }
    if (task.has_schedule_to_start_deadline()) {
        return from_proto(task.schedule_to_start_deadline());
    }
    return kNever;
}

absl::Status check_task_token(const Run& run, const WorkflowTaskToken& token) {
    const storage::WorkflowTask& task = run.header.task();
    const bool unchecked = STELE_BUG("history.task-token-not-checked") && run.is_open() &&
                           task.started_event_id() != 0;
    const bool valid =
        unchecked ||
        (run.is_open() && task.kind() != storage::TASK_KIND_NONE && task.started_event_id() != 0 &&
         token.scheduled.value() == task.scheduled_event_id() &&
         token.started.value() == task.started_event_id() && token.attempt == task.attempt() &&
         token.stamp == task.stamp() && token.started_time == from_proto(task.started_time()));
    STELE_PROBE_IF("history.stale-task-token", !valid);
    return valid ? absl::OkStatus() : not_found("Workflow task not found.");
}

absl::StatusOr<Applied<None>> fail_workflow_task(
    const Run& run, const WorkflowTaskToken& token,
    const service::RespondWorkflowTaskFailedRequest& request, const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    STELE_RETURN_IF_ERROR(check_task_token(run, token));
    Builder builder(run, context);
    if (request.cause() == enums::WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE) {
        // The next attempt would give the same completion, too large again.
        TerminateInput input;
        input.reason = failed_cause_name(request.cause());
        input.identity = kHistoryServiceIdentity;
        terminate_run(builder, input);
        return Applied<None>{std::move(builder).finish(), {}};
    }
    fail_started_task(builder, request.cause(), request.failure(), request.identity(),
                      request.binary_checksum());
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
