#include "base/probe.h"
#include "history/activity.h"
#include "history/pause.h"
#include "history/unchanged.h"

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

StartedActivity started_reply(const storage::InfoRow& info, const storage::ActivityRow& row) {
    StartedActivity reply;
    reply.token.scheduled = EventId(row.scheduled_event_id());
    reply.token.attempt = row.attempt();
    reply.token.stamp = row.stamp();
    reply.token.activity_id = row.activity_id();
    reply.row = row;
    if (row.has_priority() || info.has_priority()) {
        *reply.row.mutable_priority() = effective_priority(info, row);
    }
    return reply;
}

/// Nothing to write: the poll that started this attempt asks again.
Applied<StartedActivity> started_before(const Run& run, const storage::ActivityRow& row) {
    return unchanged(run, started_reply(run.info, row));
}

}  // namespace

api::common::v1::Priority effective_priority(const storage::InfoRow& info,
                                             const storage::ActivityRow& row) {
    api::common::v1::Priority priority = info.priority();
    const api::common::v1::Priority& own = row.priority();
    if (own.priority_key() != 0) priority.set_priority_key(own.priority_key());
    if (!own.fairness_key().empty()) priority.set_fairness_key(own.fairness_key());
    if (own.fairness_weight() != 0) priority.set_fairness_weight(own.fairness_weight());
    return priority;
}

void enqueue_attempt(Builder& builder, storage::ActivityRow& row) {
    // Put into its queue when the run is unpaused, unless an operator wants this one to go on.
    if (is_paused(builder.header()) && !row.released()) return;
    builder.dispatch_activity(row, effective_priority(builder.info(), row));
}

void start_attempt(Builder& builder, storage::ActivityRow& row, const std::string& request_id,
                   const std::string& identity, const std::string& control_task_queue) {
    builder.withdraw_activity_dispatch(row);
    row.clear_next_attempt_time();
    row.clear_released();
    row.set_request_id(request_id);
    row.set_started_identity(identity);
    row.set_worker_control_task_queue(control_task_queue);
    *row.mutable_started_time() = to_proto(builder.now());
}

absl::StatusOr<Applied<StartedActivity>> start_activity(const Run& run,
                                                        const StartActivityInput& input,
                                                        const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    const ItemId id = input.scheduled.value();
    const storage::ActivityRow* pending = run.activities.find(id);
    STELE_PROBE_IF("history.activity-over-before-its-start", pending == nullptr);
    if (pending == nullptr) return not_found("the activity has ended");
    if (is_started(*pending) && !STELE_BUG("history.activity-given-twice")) {
        const bool same_poll = !input.request_id.empty() &&
                               pending->request_id() == input.request_id &&
                               pending->stamp() == input.stamp;
        if (same_poll) return started_before(run, *pending);
        return not_found("this attempt of the activity was started before");
    }
    STELE_PROBE_IF("history.activity-attempt-obsolete", pending->stamp() != input.stamp);
    if (pending->stamp() != input.stamp) return not_found("a later attempt of the activity waits");

    Builder builder(run, context);
    storage::ActivityRow& row = builder.draft().activities.edit(id);
    // Later attempts have met the rules when they were scheduled.
    if (row.attempt() == 1 && pause_by_rule(builder, row)) {
        Applied<StartedActivity> paused{std::move(builder).finish(), {}};
        paused.transition.overruled = not_found("a rule has paused the activity");
        return paused;
    }
    start_attempt(builder, row, input.request_id, input.identity, input.control_task_queue);
    StartedActivity reply = started_reply(builder.info(), row);
    return Applied<StartedActivity>{std::move(builder).finish(), std::move(reply)};
}

EventId write_started_event(Builder& builder, const storage::ActivityRow& row) {
    if (!is_started(row)) return kNoEvent;
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
    *event.mutable_event_time() = row.started_time();
    auto& attributes = *event.mutable_activity_task_started_event_attributes();
    attributes.set_scheduled_event_id(row.scheduled_event_id());
    attributes.set_identity(row.started_identity());
    attributes.set_request_id(row.request_id());
    attributes.set_attempt(row.attempt());
    if (row.has_last_failure()) *attributes.mutable_last_failure() = row.last_failure();
    if (row.has_worker_version()) *attributes.mutable_worker_version() = row.worker_version();
    return builder.add_or_buffer_event(std::move(event));
}

void forget_activity(Builder& builder, ItemId scheduled) {
    // Rows carry their input, so one that is only to be erased is not copied first.
    if (builder.draft().activities.find(scheduled)->dispatch_sequence() != 0) {
        builder.withdraw_activity_dispatch(builder.draft().activities.edit(scheduled));
    }
    const bool paused = builder.draft().activities.find(scheduled)->has_pause();
    builder.draft().activities.erase(scheduled);
    if (paused) update_pause_info(builder);
}

}  // namespace stele::history
