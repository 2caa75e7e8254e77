#include "base/probe.h"
#include "history/build_ids.h"
#include "history/command.h"
#include "history/pause.h"
#include "history/reset_points.h"
#include "history/update_family.h"
#include "history/workflow_task.h"

#include <algorithm>
#include <utility>

// A worker answers its workflow task: all of its commands are obeyed, or none.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

using Request = service::RespondWorkflowTaskCompletedRequest;

/// The poll by which a worker gets a task in the answer to its completion of another.
constexpr char kRequestOfCompletion[] = "request-from-RespondWorkflowTaskCompleted";

/// The SDK keeps a task alive, while local activities run, by completing it empty-handed and asking
/// for the next. That may not go on for ever.
bool is_heartbeat(const Request& request) {
    return request.force_create_new_workflow_task() && request.commands_size() == 0 &&
           request.messages_size() == 0;
}

bool heartbeats_too_long(const Builder& builder, const Request& request) {
    const Timestamp original = from_proto(builder.header().task().original_scheduled_time());
    return is_heartbeat(request) && original != kUnset &&
           builder.now() > original + builder.context().limits->workflow_task_heartbeat;
}

/// The deployment that the worker says it is of; only a versioned one has a version and a behaviour.
void add_deployment(const Request& request,
                    api::history::v1::WorkflowTaskCompletedEventAttributes& attributes) {
    const auto& options = request.deployment_options();
    attributes.set_worker_deployment_name(options.deployment_name());
    if (options.worker_versioning_mode() != enums::WORKER_VERSIONING_MODE_VERSIONED) return;
    attributes.set_versioning_behavior(request.versioning_behavior());
    if (options.deployment_name().empty() || options.build_id().empty()) return;
    attributes.mutable_deployment_version()->set_deployment_name(options.deployment_name());
    attributes.mutable_deployment_version()->set_build_id(options.build_id());
}

/// Whether nothing of a completed task has to be written: it brought updates, and the worker rejected
/// them all. The worker will see the events that came with the task once more, so it must be able to
/// go back, and they must be few.
bool can_be_discarded(const Builder& builder, const Request& request) {
    const storage::HeaderRow& header = builder.header();
    if (header.task().kind() != storage::TASK_KIND_SPECULATIVE) return false;
    if (STELE_FAULT("history.speculative-task-kept")) return false;
    if (request.commands_size() > 0 || request.force_create_new_workflow_task()) return false;
    std::int64_t repeated = 0;
    if (request.capabilities().discard_speculative_workflow_task_with_events()) {
        repeated = static_cast<std::int64_t>(builder.context().limits->speculative_discard_events);
    }
    // Behind the last completed task stand its started and completed event.
    if (header.next_event_id() > header.last_completed_task_started_event_id() + 2 + repeated) {
        return false;
    }
    return std::all_of(request.messages().begin(), request.messages().end(),
                       [](const api::protocol::v1::Message& message) {
                           return message.body().Is<api::update::v1::Rejection>();
                       });
}

/// Writes the completed event, and before it the two that an unwritten task still owes.
EventId add_completed_event(Builder& builder, const Request& request) {
    storage::WorkflowTask task = builder.header().task();
    // Taken away first: what follows is no longer behind a started task.
    builder.header().mutable_task()->Clear();
    builder.header().mutable_task()->set_attempt(1);
    *builder.header().mutable_task()->mutable_original_scheduled_time() =
        task.original_scheduled_time();
    builder.header().set_close_attempted(false);
    builder.header().set_first_task_pending(false);
    if (is_unwritten(task)) {
        STELE_PROBE("history.unwritten-task-completed");
        task.set_identity(request.identity());
        task.set_scheduled_event_id(
            builder.add_event(scheduled_event(task, builder.info())).value());
        task.set_started_event_id(builder.add_event(started_event(task)).value());
    }
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
    auto& attributes = *event.mutable_workflow_task_completed_event_attributes();
    attributes.set_scheduled_event_id(task.scheduled_event_id());
    attributes.set_started_event_id(task.started_event_id());
    attributes.set_identity(request.identity());
    attributes.set_binary_checksum(request.binary_checksum());
    if (request.has_worker_version_stamp()) {
        *attributes.mutable_worker_version() = request.worker_version_stamp();
        *builder.header().mutable_most_recent_worker_version() = request.worker_version_stamp();
    } else {
        builder.header().clear_most_recent_worker_version();
    }
    if (request.has_sdk_metadata()) *attributes.mutable_sdk_metadata() = request.sdk_metadata();
    if (request.has_metering_metadata()) {
        *attributes.mutable_metering_metadata() = request.metering_metadata();
    }
    add_deployment(request, attributes);
    record_build_id(builder, request.worker_version_stamp());
    storage::HeaderRow& header = builder.header();
    header.set_last_completed_task_started_event_id(task.started_event_id());
    header.set_consecutive_task_problems(0);
    clear_task_problems(builder);
    if (!request.sdk_metadata().sdk_name().empty()) {
        header.set_sdk_name(request.sdk_metadata().sdk_name());
        header.set_sdk_version(request.sdk_metadata().sdk_version());
    }
    const Draft& draft = builder.draft();
    const bool resettable =
        draft.children.empty() && draft.external_signals.empty() && draft.external_cancels.empty();
    add_reset_point(header, builder.info().run_id(), attributes,
                    {EventId(header.next_event_id()), builder.now(), resettable},
                    builder.context().limits->reset_points);
    return builder.add_event(std::move(event));
}

void take_stickiness(Builder& builder, const Request& request) {
    storage::HeaderRow& header = builder.header();
    forget_sticky_queue(header);
    if (!request.has_sticky_attributes() || !request.sticky_attributes().has_worker_task_queue()) {
        return;
    }
    header.set_sticky_task_queue(request.sticky_attributes().worker_task_queue().name());
    *header.mutable_sticky_schedule_to_start() =
        request.sticky_attributes().schedule_to_start_timeout();
}

std::string refusal_text(const Refusal& refusal) {
    const std::string name = failed_cause_name(refusal.cause);
    return refusal.message.empty() ? name : name + ": " + refusal.message;
}

/// What is written instead of a completion that was refused.
absl::StatusOr<Applied<CompletedWorkflowTask>> fail_refused(const Run& run, const Request& request,
                                                            const Refusal& refusal,
                                                            const Context& context) {
    const std::string text = refusal_text(refusal);
    Builder builder(run, context);
    CompletedWorkflowTask reply;
    reply.refusal = invalid_argument(text);
    // A worker that gives the same bad answer again is not answered: its task times out, more and
    // more slowly. Unseen events are different, because the next answer will know them.
    fail_sent_updates(builder);
    STELE_PROBE_IF("history.refused-again", builder.header().task().attempt() > 1);
    if (builder.header().task().attempt() > 1 &&
        refusal.cause != enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND) {
        builder.keep_in_memory();
        return Applied<CompletedWorkflowTask>{std::move(builder).finish(), std::move(reply)};
    }
    fail_started_task(builder, refusal.cause, server_failure(text, false), request.identity(),
                      request.binary_checksum());
    if (refusal.terminate) {
        TerminateInput input;
        input.reason = text;
        input.identity = kHistoryServiceIdentity;
        terminate_run(builder, input);
    } else {
        builder.schedule_workflow_task_if_needed();
    }
    return Applied<CompletedWorkflowTask>{std::move(builder).finish(), std::move(reply)};
}

CommandResult obey_all(Completion& completion) {
    for (const Command& command : completion.request.commands()) {
        if (CommandResult refusal = obey_command(completion, command)) return refusal;
    }
    return obey_remaining_messages(completion);
}

/// Schedules the next task if there is reason to, and starts it when the worker wants to have it.
void schedule_next(Completion& completion, Timestamp original, CompletedWorkflowTask& reply) {
    Builder& builder = completion.builder;
    const Request& request = completion.request;
    const bool hand_over =
        request.return_new_workflow_task() && !STELE_FAULT("history.task-not-handed-over");
    const bool wanted = request.force_create_new_workflow_task() || completion.events_waiting ||
                        completion.new_task_needed;
    if (!builder.is_open() || builder.has_workflow_task()) return;
    if (builder.header().status() == enums::WORKFLOW_EXECUTION_STATUS_PAUSED) return;
    if (!wanted && !has_unsent_update(builder.draft())) return;
    if (!wanted && hand_over) {
        STELE_PROBE("history.speculative-next");
        // Only for updates that came meanwhile: nothing of it need be written.
        reply.speculative_next = true;
        return;
    }
    schedule_workflow_task(builder, is_heartbeat(request) ? original : builder.now(), hand_over);
    if (!hand_over) return;
    // A heartbeat's worker is still at the updates that it has.
    reply.next = start_scheduled_task(builder, {kRequestOfCompletion, request.identity(), nullptr,
                                                !request.force_create_new_workflow_task()});
    reply.next->sticky = true;  // the worker that asks for it has the run
}

/// The worker only ever says that it is still there. Its task ends, and another may try: at once, or,
/// when the worker asked to be given the next task, after that one has timed out, since an answer that
/// is an error can not bring it.
absl::StatusOr<Applied<CompletedWorkflowTask>> time_out_heartbeat(Builder builder,
                                                                  const Request& request) {
    STELE_PROBE("history.heartbeat-too-long");
    time_out_started_task(builder);
    take_stickiness(builder, request);
    const bool hand_over = request.return_new_workflow_task();
    schedule_workflow_task(builder, builder.now(), hand_over);
    if (hand_over) start_scheduled_task(builder, {kRequestOfCompletion, request.identity()});
    CompletedWorkflowTask reply;
    reply.refusal = not_found("workflow task heartbeat timeout");
    return Applied<CompletedWorkflowTask>{std::move(builder).finish(), std::move(reply)};
}

}  // namespace

absl::StatusOr<Applied<StartedWorkflowTask>> start_next_speculative_task(
    const Run& run, const std::string& identity, const Context& context) {
    if (!run.is_open() || run.header.task().kind() != storage::TASK_KIND_NONE) {
        return failed_precondition("the run has closed, or has a workflow task");
    }
    Builder builder(run, context);
    schedule_speculative_task(builder, true);
    StartedWorkflowTask started = start_scheduled_task(builder, {kRequestOfCompletion, identity});
    started.sticky = true;
    return Applied<StartedWorkflowTask>{std::move(builder).finish(), std::move(started)};
}

absl::StatusOr<Applied<CompletedWorkflowTask>> refuse_completion(const Run& run,
                                                                 const Request& request,
                                                                 const Context& context) {
    const Refusal refusal{enums::WORKFLOW_TASK_FAILED_CAUSE_REQUEST_TOO_LARGE,
                          "workflow task completion buffer size exceeds the per-workflow limit",
                          true};
    return fail_refused(run, request, refusal, context);
}

absl::StatusOr<Applied<CompletedWorkflowTask>> complete_workflow_task(
    const Run& run, const WorkflowTaskToken& token, const Request& request,
    const Context& context) {
    STELE_RETURN_IF_ERROR(check_task_token(run, token));
    if (is_paused(run.header) && request.force_create_new_workflow_task()) {
        return failed_precondition(
            "Workflow is paused and force create new workflow task is not allowed.");
    }
    if (request.versioning_behavior() != enums::VERSIONING_BEHAVIOR_UNSPECIFIED &&
        !request.has_deployment() &&
        request.deployment_options().worker_versioning_mode() !=
            enums::WORKER_VERSIONING_MODE_VERSIONED) {
        return invalid_argument(
            "versioning behavior cannot be specified without deployment options being set with "
            "versioned mode");
    }
    Builder builder(run, context);
    if (heartbeats_too_long(builder, request)) {
        return time_out_heartbeat(std::move(builder), request);
    }
    STELE_RETURN_IF_ERROR(check_command_sequence(request.commands()));
    STELE_RETURN_IF_ERROR(check_messages(request));

    const Timestamp original = from_proto(builder.header().task().original_scheduled_time());
    const bool discarded = can_be_discarded(builder, request);
    EventId completed = kNoEvent;
    if (discarded) {
        STELE_PROBE("history.speculative-task-discarded");
        drop_speculative_task(builder);
    } else {
        completed = add_completed_event(builder, request);
    }
    take_stickiness(builder, request);
    Completion completion{builder, request, completed, {}, builder.has_buffered_events(), false};
    builder.hold_outside_events(true);
    if (CommandResult refusal = obey_all(completion)) {
        return fail_refused(run, request, *refusal, context);
    }
    start_eager_activities(completion);
    tell_workers_to_cancel(builder, completion.cancelled_activities);
    builder.hold_outside_events(false);
    reject_unanswered_updates(completion);

    CompletedWorkflowTask reply;
    STELE_PROBE_IF("history.events-behind-a-completion", builder.has_buffered_events());
    if (builder.is_open()) builder.flush_buffered_events();
    schedule_next(completion, original, reply);
    reply.eager_activities = std::move(completion.eager_activities);
    if (discarded) {
        reply.reset_history_event =
            EventId(builder.header().last_completed_task_started_event_id());
        if (!builder.has_workflow_task()) builder.keep_in_memory();
    }
    Transition transition = std::move(builder).finish();
    if (transition.closed) {
        // By a command, or by a limit: there is nothing left to hand to the worker.
        reply.next.reset();
        reply.speculative_next = false;
        reply.eager_activities.clear();
    }
    return Applied<CompletedWorkflowTask>{std::move(transition), std::move(reply)};
}

}  // namespace stele::history
