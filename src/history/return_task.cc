#include "base/probe.h"
#include "history/activity.h"
#include "history/workflow_task.h"

#include <utility>

// A task whose poll went away between its start and the answer goes back into its queue.
namespace stele::history {

absl::StatusOr<Applied<EventId>> return_workflow_task(const Run& run,
                                                      const WorkflowTaskToken& token,
                                                      const Context& context) {
    STELE_RETURN_IF_ERROR(check_task_token(run, token));
    Builder builder(run, context);
    storage::HeaderRow& header = builder.header();
    storage::WorkflowTask& task = *header.mutable_task();
    EventId withdrawn = kNoEvent;
    if (task.kind() == storage::TASK_KIND_NORMAL) {
        withdrawn = EventId(task.started_event_id());
        if (header.next_event_id() != withdrawn.next().value()) {
            return failed_precondition("events stand behind the start of the workflow task");
        }
        header.set_next_event_id(withdrawn.value());
        header.set_history_size_bytes(task.history_size_bytes());
    }
    task.clear_started_event_id();
    task.clear_started_time();
    task.clear_request_id();
    task.clear_identity();
    task.clear_worker_version();
    task.clear_suggest_continue_as_new();
    task.clear_suggest_reasons();
    // The token of the start that is undone must not fit the next one, should anybody have it.
    header.set_task_stamp(header.task_stamp() + 1);
    task.set_stamp(header.task_stamp());
    if (run.has_speculative_task()) builder.keep_in_memory();
    const Duration limit = from_proto(header.sticky_schedule_to_start());
    if (task.on_sticky_queue() && header.sticky_task_queue().empty()) {
        task.set_on_sticky_queue(false);
        task.set_task_queue(builder.info().task_queue());
    } else if (task.on_sticky_queue() && limit > Duration::zero()) {
        *task.mutable_schedule_to_start_deadline() = to_proto(add_saturating(builder.now(), limit));
    }
    limit_speculative_wait(builder);
    builder.dispatch_workflow_task();
    Transition transition = std::move(builder).finish();
    transition.lazy = !transition.closed;
    return Applied<EventId>{std::move(transition), withdrawn};
}

absl::StatusOr<Applied<None>> return_activity(const Run& run, const ActivityToken& token,
                                              const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    const storage::ActivityRow* pending = run.activities.find(token.scheduled.value());
    const bool same = pending != nullptr && is_started(*pending) &&
                      pending->attempt() == token.attempt && pending->stamp() == token.stamp;
    if (!same) return not_found("the activity attempt is not started any more");
    Builder builder(run, context);
    storage::ActivityRow& row = builder.draft().activities.edit(token.scheduled.value());
    row.clear_started_time();
    row.clear_request_id();
    row.clear_started_identity();
    row.clear_worker_control_task_queue();
    STELE_PROBE("history.activity-returned");
    row.set_stamp(row.stamp() + 1);
    enqueue_attempt(builder, row);
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
