#include "history/activity.h"

#include <map>
#include <utility>

// Workers that listen for commands are told to give up the activities that they hold, when these are
// cancelled or their run closes. Others learn of it with their next heartbeat. A command that is
// lost costs nothing but the time until then.
namespace stele::history {
namespace {

void add_held(storage::OutboxRow& row, const storage::ActivityRow& activity) {
    storage::HeldActivity& held = *row.add_held_activities();
    held.set_scheduled_event_id(activity.scheduled_event_id());
    held.set_attempt(activity.attempt());
    held.set_stamp(activity.stamp());
    held.set_activity_id(activity.activity_id());
}

}  // namespace

void tell_workers_to_cancel(Builder& builder, const std::vector<EventId>& activities) {
    if (!builder.context().limits->cancel_activity_commands) return;
    std::map<std::string, std::vector<EventId>> by_queue;
    for (const EventId id : activities) {
        const storage::ActivityRow* activity = builder.draft().activities.find(id.value());
        if (activity == nullptr || !is_started(*activity)) continue;
        const std::string& queue = activity->worker_control_task_queue();
        if (!queue.empty()) by_queue[queue].push_back(id);
    }
    for (const auto& [queue, held] : by_queue) {
        send_external(builder, storage::OutboxRow::KIND_CANCEL_ACTIVITIES, held.front());
        storage::OutboxRow& row = builder.transition().outbox.back();
        row.set_control_task_queue(queue);
        for (const EventId id : held) {
            add_held(row, *builder.draft().activities.find(id.value()));
        }
    }
}

void tell_workers_of_close(Builder& builder) {
    std::vector<EventId> all;
    builder.draft().activities.for_each(
        [&](ItemId id, const storage::ActivityRow&) { all.emplace_back(id); });
    tell_workers_to_cancel(builder, all);
}

}  // namespace stele::history
