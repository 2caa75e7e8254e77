#include "history/event_rows.h"

namespace stele::history {

storage::ActivityRow activity_row(const HistoryEvent& scheduled, Timestamp when) {
    const auto& from = scheduled.activity_task_scheduled_event_attributes();
    storage::ActivityRow row;
    row.set_activity_id(from.activity_id());
    row.set_activity_type(from.activity_type().name());
    row.set_task_queue(from.task_queue().name());
    *row.mutable_first_scheduled_time() = to_proto(when);
    *row.mutable_scheduled_time() = row.first_scheduled_time();
    *row.mutable_schedule_to_close() = from.schedule_to_close_timeout();
    *row.mutable_schedule_to_start() = from.schedule_to_start_timeout();
    *row.mutable_start_to_close() = from.start_to_close_timeout();
    *row.mutable_heartbeat() = from.heartbeat_timeout();
    *row.mutable_retry_policy() = from.retry_policy();
    row.set_attempt(1);
    row.set_scheduled_by_task_completed_event_id(from.workflow_task_completed_event_id());
    if (from.has_header()) *row.mutable_header() = from.header();
    if (from.has_input()) *row.mutable_input() = from.input();
    if (from.has_priority()) *row.mutable_priority() = from.priority();
    if (scheduled.has_user_metadata()) *row.mutable_user_metadata() = scheduled.user_metadata();
    return row;
}

storage::TimerRow timer_row(const HistoryEvent& started, Timestamp when) {
    const auto& from = started.timer_started_event_attributes();
    storage::TimerRow row;
    row.set_timer_id(from.timer_id());
    *row.mutable_fire_time() =
        to_proto(add_saturating(when, from_proto(from.start_to_fire_timeout())));
    return row;
}

namespace {

/// What the two kinds of request have in common.
template <typename Attributes>
storage::ExternalRow addressed_row(const Attributes& from) {
    storage::ExternalRow row;
    row.set_namespace_(from.namespace_());
    row.set_namespace_id(from.namespace_id());
    row.set_workflow_id(from.workflow_execution().workflow_id());
    row.set_run_id(from.workflow_execution().run_id());
    row.set_child_workflow_only(from.child_workflow_only());
    row.set_control(from.control());
    return row;
}

}  // namespace

storage::ExternalRow external_row(const HistoryEvent& initiated) {
    if (initiated.has_signal_external_workflow_execution_initiated_event_attributes()) {
        const auto& from =
            initiated.signal_external_workflow_execution_initiated_event_attributes();
        storage::ExternalRow row = addressed_row(from);
        row.set_signal_name(from.signal_name());
        if (from.has_input()) *row.mutable_input() = from.input();
        if (from.has_header()) *row.mutable_header() = from.header();
        return row;
    }
    const auto& from =
        initiated.request_cancel_external_workflow_execution_initiated_event_attributes();
    storage::ExternalRow row = addressed_row(from);
    row.set_reason(from.reason());
    return row;
}

storage::ChildRow child_row(const HistoryEvent& initiated) {
    const auto& from = initiated.start_child_workflow_execution_initiated_event_attributes();
    storage::ChildRow row;
    row.set_namespace_(from.namespace_());
    row.set_namespace_id(from.namespace_id());
    row.set_workflow_id(from.workflow_id());
    row.set_workflow_type(from.workflow_type().name());
    row.set_parent_close_policy(from.parent_close_policy());
    *row.mutable_initiated() = from;
    if (initiated.has_user_metadata()) *row.mutable_user_metadata() = initiated.user_metadata();
    return row;
}

void mark_started(storage::ChildRow& child, const HistoryEvent& started, EventId id) {
    const auto& from = started.child_workflow_execution_started_event_attributes();
    child.set_started_event_id(id.value());
    child.set_run_id(from.workflow_execution().run_id());
    child.set_create_request_id(child.run_id());
    child.clear_initiated();
    child.clear_user_metadata();
}

}  // namespace stele::history
