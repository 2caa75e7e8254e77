#include "base/probe.h"
#include "history/next_run.h"
#include "history/nexus_family.h"
#include "history/workflow_task.h"

#include <algorithm>
#include <utility>

// Time passes: everything that a run does by itself.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

/// When the run itself runs out of time.
Timestamp run_deadline(const Draft& draft) {
    const storage::InfoRow& info = draft.run_info();
    return info.has_run_expiration() ? from_proto(info.run_expiration()) : kNever;
}

Timestamp first_task_deadline(const storage::HeaderRow& header) {
    return header.first_task_pending() ? from_proto(header.execution_time()) : kNever;
}

bool is_open(const Draft& draft) {
    return draft.header.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING ||
           draft.header.status() == enums::WORKFLOW_EXECUTION_STATUS_PAUSED;
}

void fire_timer(Builder& builder, ItemId id) {
    const storage::TimerRow* timer = builder.draft().timers.find(id);
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_TIMER_FIRED);
    auto& fired = *event.mutable_timer_fired_event_attributes();
    fired.set_timer_id(timer->timer_id());
    fired.set_started_event_id(timer->started_event_id());
    builder.draft().timers.erase(id);
    if (builder.has_started_workflow_task() && STELE_BUG("history.timer-fires-twice"))
        builder.add_or_buffer_event(event);
    builder.add_or_buffer_event(std::move(event));
    builder.schedule_workflow_task_if_needed();
}

void fire_workflow_task(Builder& builder) {
    if (builder.has_started_workflow_task()) {
        time_out_started_task(builder);
    } else {
        time_out_scheduled_task(builder);
    }
    builder.schedule_workflow_task_if_needed();
}

void fire_run_timeout(Builder& builder) {
    const storage::InfoRow& info = builder.info();
    const bool expired =
        info.has_execution_expiration() && from_proto(info.execution_expiration()) <= builder.now();
    api::failure::v1::Failure failure;
    failure.set_message("workflow timeout");
    failure.set_source("Server");
    failure.mutable_timeout_failure_info()->set_timeout_type(enums::TIMEOUT_TYPE_START_TO_CLOSE);
    NextRun next;
    next.retry_state = enums::RETRY_STATE_TIMEOUT;
    if (!expired) next = decide_next_run(builder, failure);
    add_next_run(builder, next, {inherited_result(builder), failure});
    time_out_run(builder, next.retry_state, next.run_id);
}

/// Something that is due. Ordered by time; what is due at one moment in the order of the kinds.
struct DueItem {
    enum class Kind { kFirstTask, kTimer, kActivity, kNexusOperation, kWorkflowTask };
    Timestamp deadline;
    Kind kind;
    ItemId id = 0;
    auto operator<=>(const DueItem&) const = default;
};

std::vector<DueItem> due_items(const Draft& draft, Timestamp now) {
    std::vector<DueItem> items;
    const auto add_single = [&](Timestamp deadline, DueItem::Kind kind) {
        if (deadline <= now) items.push_back({deadline, kind});
    };
    add_single(first_task_deadline(draft.header), DueItem::Kind::kFirstTask);
    add_single(workflow_task_deadline(draft.header), DueItem::Kind::kWorkflowTask);
    for (const Due& due : draft.timers.due_at(now)) {
        items.push_back({due.deadline, DueItem::Kind::kTimer, due.id});
    }
    for (const Due& due : draft.activities.due_at(now)) {
        items.push_back({due.deadline, DueItem::Kind::kActivity, due.id});
    }
    for (const Due& due : draft.nexus_operations.due_at(now)) {
        items.push_back({due.deadline, DueItem::Kind::kNexusOperation, due.id});
    }
    std::sort(items.begin(), items.end());
    return items;
}

void fire(Builder& builder, const DueItem& item) {
    switch (item.kind) {
        case DueItem::Kind::kFirstTask:
            builder.header().set_first_task_pending(false);
            builder.schedule_workflow_task_if_needed();
            return;
        case DueItem::Kind::kTimer: return fire_timer(builder, item.id);
        case DueItem::Kind::kActivity: return fire_activity_deadline(builder, item.id);
        case DueItem::Kind::kNexusOperation: return fire_nexus_deadline(builder, item.id);
        case DueItem::Kind::kWorkflowTask: return fire_workflow_task(builder);
    }
}

}  // namespace

Timestamp earliest_deadline(const Draft& draft) {
    if (!is_open(draft)) return kNever;
    return std::min({run_deadline(draft), first_task_deadline(draft.header),
                     workflow_task_deadline(draft.header), draft.timers.earliest_deadline(),
                     draft.activities.earliest_deadline(),
                     draft.nexus_operations.earliest_deadline()});
}

absl::StatusOr<Applied<None>> fire_due(const Run& run, const Context& context) {
    Builder builder(run, context);
    const Timestamp now =
        context.now + (STELE_BUG("history.timers-early") ? Duration(std::chrono::milliseconds(300))
                                                         : Duration::zero());
    if (!run.is_open() || earliest_deadline(builder.draft()) > now) {
        builder.transition().empty = true;
        return Applied<None>{std::move(builder.transition()), {}};
    }
    builder.defer_workflow_task(true);
    // Of what happens at one moment, outcomes stand after all starts, as they do behind a task.
    builder.hold_outside_events(true);
    for (const DueItem& item : due_items(builder.draft(), now)) {
        STELE_PROBE_IF("history.due-behind-run-timeout",
                       item.deadline > run_deadline(builder.draft()));
        if (item.deadline > run_deadline(builder.draft())) break;
        fire(builder, item);
    }
    builder.hold_outside_events(false);
    if (run_deadline(builder.draft()) <= now) {
        fire_run_timeout(builder);
    } else {
        builder.defer_workflow_task(false);
    }
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
