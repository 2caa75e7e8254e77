#include "base/probe.h"
#include "history/update_family.h"
#include "history/workflow_task.h"

#include <utility>

// A worker takes the scheduled task.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

/// Long histories are slow to replay; the worker is told when it should continue as new.
void note_history_size(const Builder& builder, storage::WorkflowTask& task) {
    const Limits& limits = *builder.context().limits;
    const storage::HeaderRow& header = builder.header();
    task.set_history_size_bytes(header.history_size_bytes());
    if (static_cast<std::size_t>(header.history_size_bytes()) >= limits.suggest_bytes) {
        task.add_suggest_reasons(enums::SUGGEST_CONTINUE_AS_NEW_REASON_HISTORY_SIZE_TOO_LARGE);
    }
    if (static_cast<std::size_t>(header.next_event_id()) >= limits.suggest_events) {
        task.add_suggest_reasons(enums::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_HISTORY_EVENTS);
    }
    if (suggests_continue_as_new(builder)) {
        task.add_suggest_reasons(enums::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES);
    }
    task.set_suggest_continue_as_new(task.suggest_reasons_size() > 0);
}

/// A transient task whose place in the history was taken by other events becomes a normal one.
void make_normal_if_overtaken(Builder& builder) {
    storage::WorkflowTask& task = *builder.header().mutable_task();
    if (task.kind() != storage::TASK_KIND_TRANSIENT) return;
    if (task.scheduled_event_id() == builder.header().next_event_id()) return;
    STELE_PROBE("history.transient-task-overtaken");
    task.set_kind(storage::TASK_KIND_NORMAL);
    task.set_attempt(1);
    *task.mutable_scheduled_time() = to_proto(builder.now());
    task.set_scheduled_event_id(builder.header().next_event_id());
    builder.add_event(scheduled_event(task, builder.info()));
}

absl::Status check_startable(const Run& run, const StartWorkflowTaskInput& input) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    const storage::WorkflowTask& task = run.header.task();
    // Starting an overtaken transient task moves it, so a repeated poll knows it by its stamp only.
    const bool same = task.kind() != storage::TASK_KIND_NONE && task.stamp() == input.stamp;
    if (!same) return not_found("Workflow task not found.");
    if (task.started_event_id() != 0 && task.request_id() != input.request_id &&
        !STELE_BUG("history.task-given-twice")) {
        return not_found("Workflow task already started.");
    }
    return absl::OkStatus();
}

}  // namespace

HistoryEvent started_event(const storage::WorkflowTask& task) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
    *event.mutable_event_time() = task.started_time();
    auto& attributes = *event.mutable_workflow_task_started_event_attributes();
    attributes.set_scheduled_event_id(task.scheduled_event_id());
    attributes.set_identity(task.identity());
    attributes.set_request_id(task.request_id());
    attributes.set_suggest_continue_as_new(task.suggest_continue_as_new());
    *attributes.mutable_suggest_continue_as_new_reasons() = task.suggest_reasons();
    attributes.set_history_size_bytes(task.history_size_bytes());
    if (task.has_worker_version()) *attributes.mutable_worker_version() = task.worker_version();
    return event;
}

std::vector<HistoryEvent> transient_events(const Run& run) {
    const storage::WorkflowTask& task = run.header.task();
    if (!run.is_open() || !is_unwritten(task)) return {};
    // Overtaken by other events: it will become a normal task when it starts.
    if (task.scheduled_event_id() != run.header.next_event_id()) return {};
    std::vector<HistoryEvent> events;
    events.push_back(scheduled_event(task, run.info));
    events.back().set_event_id(task.scheduled_event_id());
    if (task.started_event_id() == 0) return events;
    events.push_back(started_event(task));
    events.back().set_event_id(task.started_event_id());
    events.back().mutable_workflow_task_started_event_attributes()->clear_identity();
    return events;
}

StartedWorkflowTask describe_started_task(Builder& builder, bool resend_updates) {
    const storage::HeaderRow& header = builder.header();
    const storage::WorkflowTask& task = header.task();
    StartedWorkflowTask started;
    started.token.scheduled = EventId(task.scheduled_event_id());
    started.token.started = EventId(task.started_event_id());
    started.token.attempt = task.attempt();
    started.token.stamp = task.stamp();
    started.token.started_time = from_proto(task.started_time());
    started.previous_started = EventId(header.last_completed_task_started_event_id());
    started.started = started.token.started;
    started.attempt = task.attempt();
    started.scheduled_time = from_proto(task.scheduled_time());
    started.started_time = started.token.started_time;
    started.sticky = !header.sticky_task_queue().empty();
    started.last_stored = EventId(header.next_event_id() - 1);
    if (is_unwritten(task)) {
        HistoryEvent scheduled = scheduled_event(task, builder.info());
        scheduled.set_event_id(task.scheduled_event_id());
        HistoryEvent start = started_event(task);
        start.set_event_id(task.started_event_id());
        started.synthesised = {std::move(scheduled), std::move(start)};
    }
    started.messages = send_updates(builder, resend_updates);
    return started;
}

StartedWorkflowTask start_scheduled_task(Builder& builder, const TaskTaker& taker) {
    make_normal_if_overtaken(builder);
    if (builder.header().task().kind() == storage::TASK_KIND_SPECULATIVE) builder.keep_in_memory();
    builder.withdraw_workflow_task_dispatch();
    storage::WorkflowTask& task = *builder.header().mutable_task();
    *task.mutable_started_time() = to_proto(builder.now());
    task.set_started_event_id(task.scheduled_event_id() + 1);
    task.set_request_id(taker.request_id);
    task.set_identity(taker.identity);
    task.clear_schedule_to_start_deadline();
    if (taker.version != nullptr) *task.mutable_worker_version() = *taker.version;
    note_history_size(builder, task);
    if (task.kind() == storage::TASK_KIND_NORMAL) {
        const EventId started = builder.add_event(started_event(task));
        task.set_started_event_id(started.value());
    }
    return describe_started_task(builder, taker.resend_updates);
}

absl::StatusOr<Applied<StartedWorkflowTask>> start_workflow_task(
    const Run& run, const StartWorkflowTaskInput& input, const Context& context) {
    STELE_RETURN_IF_ERROR(check_startable(run, input));
    Builder builder(run, context);
    if (builder.has_started_workflow_task()) {
        STELE_PROBE("history.task-started-again");
        const bool brings_more = has_unsent_update(builder.draft());
        builder.keep_in_memory();
        StartedWorkflowTask started = describe_started_task(builder, true);
        Transition again = std::move(builder).finish();
        again.empty = !brings_more;
        return Applied<StartedWorkflowTask>{std::move(again), std::move(started)};
    }
    // A normal poller has the run now; the worker behind the sticky queue has lost it.
    if (input.task_queue != builder.header().sticky_task_queue()) {
        if (builder.header().sticky_task_queue().empty() &&
            input.task_queue != builder.info().task_queue()) {
            return not_found("rejecting sticky poller because workflow has moved to normal queue");
        }
        STELE_PROBE("history.taken-from-sticky-worker");
        if (!STELE_BUG("history.partial-history-for-a-stranger"))
            forget_sticky_queue(builder.header());
    }
    std::optional<api::common::v1::WorkerVersionStamp> version;
    if (!input.worker_version.build_id().empty()) {
        version.emplace();
        version->set_build_id(input.worker_version.build_id());
        version->set_use_versioning(input.worker_version.use_versioning());
    }
    StartedWorkflowTask started = start_scheduled_task(
        builder, {input.request_id, input.identity, version ? &*version : nullptr});
    if (run.has_speculative_task() && started.messages.empty()) {
        return not_found("No messages for speculative workflow task.");
    }
    Transition transition = std::move(builder).finish();
    // A start that went over a limit and closed the run is more than a start.
    transition.lazy = !transition.closed;
    return Applied<StartedWorkflowTask>{std::move(transition), std::move(started)};
}

}  // namespace stele::history
