#include "history/event_rows.h"
#include "history/nexus_family.h"
#include "history/rebuild.h"

#include <utility>

// What a history tells of pending items: each is there from the event that begins it to the one
// that ends it.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

template <typename Row>
void Rebuild::end(Table<Row>& pending, std::int64_t id, const HistoryEvent& event) {
    if (pending.find(id) != nullptr) return pending.erase(id);
    status_ =
        make_error(absl::StatusCode::kDataLoss,
                   "event " + std::to_string(event.event_id()) + " of a history ends what event " +
                       std::to_string(id) + " began, which is not pending");
}

bool Rebuild::fold_activity(const HistoryEvent& event) {
    const auto change = [&](std::int64_t id, auto edit) {
        const storage::ActivityRow* pending = run_.activities.find(id);
        // Its outcome may have been buffered when cancellation was requested.
        if (pending == nullptr) return;
        storage::ActivityRow row = *pending;
        edit(row);
        run_.activities.put(id, std::move(row));
    };
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
            storage::ActivityRow row = activity_row(event, from_proto(event.event_time()));
            row.set_scheduled_event_id(event.event_id());
            run_.activities.put(event.event_id(), std::move(row));
            return true;
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED: {
            const auto& started = event.activity_task_started_event_attributes();
            change(started.scheduled_event_id(), [&](storage::ActivityRow& row) {
                row.set_started_event_id(event.event_id());
                *row.mutable_started_time() = event.event_time();
                row.set_started_identity(started.identity());
                row.set_request_id(started.request_id());
                row.set_attempt(started.attempt());
            });
            return true;
        }
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
            change(event.activity_task_cancel_requested_event_attributes().scheduled_event_id(),
                   [&](storage::ActivityRow& row) {
                       row.set_cancel_requested(true);
                       row.set_cancel_request_event_id(event.event_id());
                   });
            return true;
        case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            end(run_.activities,
                event.activity_task_completed_event_attributes().scheduled_event_id(), event);
            return true;
        case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
            end(run_.activities, event.activity_task_failed_event_attributes().scheduled_event_id(),
                event);
            return true;
        case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
            end(run_.activities,
                event.activity_task_timed_out_event_attributes().scheduled_event_id(), event);
            return true;
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
            end(run_.activities,
                event.activity_task_canceled_event_attributes().scheduled_event_id(), event);
            return true;
        default: return false;
    }
}

bool Rebuild::fold_timer(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_TIMER_STARTED: {
            storage::TimerRow row = timer_row(event, from_proto(event.event_time()));
            row.set_started_event_id(event.event_id());
            run_.timers.put(event.event_id(), std::move(row));
            return true;
        }
        case enums::EVENT_TYPE_TIMER_FIRED:
            end(run_.timers, event.timer_fired_event_attributes().started_event_id(), event);
            return true;
        case enums::EVENT_TYPE_TIMER_CANCELED:
            end(run_.timers, event.timer_canceled_event_attributes().started_event_id(), event);
            return true;
        default: return false;
    }
}

bool Rebuild::fold_external(const HistoryEvent& event) {
    const auto begin = [&](Table<storage::ExternalRow>& pending) {
        storage::ExternalRow row = external_row(event);
        if (row.namespace_().empty()) row.set_namespace_(run_.info.namespace_());
        row.set_initiated_event_id(event.event_id());
        pending.put(event.event_id(), std::move(row));
    };
    switch (event.event_type()) {
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
            begin(run_.external_signals);
            return true;
        case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
            end(run_.external_signals,
                event.external_workflow_execution_signaled_event_attributes().initiated_event_id(),
                event);
            return true;
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
            end(run_.external_signals,
                event.signal_external_workflow_execution_failed_event_attributes()
                    .initiated_event_id(),
                event);
            return true;
        case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
            begin(run_.external_cancels);
            return true;
        case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            end(run_.external_cancels,
                event.external_workflow_execution_cancel_requested_event_attributes()
                    .initiated_event_id(),
                event);
            return true;
        case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
            end(run_.external_cancels,
                event.request_cancel_external_workflow_execution_failed_event_attributes()
                    .initiated_event_id(),
                event);
            return true;
        default: return false;
    }
}

bool Rebuild::fold_child(const HistoryEvent& event) {
    const auto end_child = [&](const auto& attributes) {
        end(run_.children, attributes.initiated_event_id(), event);
        return true;
    };
    switch (event.event_type()) {
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: {
            storage::ChildRow row = child_row(event);
            row.set_initiated_event_id(event.event_id());
            run_.children.put(event.event_id(), std::move(row));
            return true;
        }
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: {
            const auto& started = event.child_workflow_execution_started_event_attributes();
            const storage::ChildRow* pending = run_.children.find(started.initiated_event_id());
            if (pending == nullptr) return false;
            storage::ChildRow row = *pending;
            mark_started(row, event, EventId(event.event_id()));
            run_.children.put(started.initiated_event_id(), std::move(row));
            return true;
        }
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
            return end_child(event.start_child_workflow_execution_failed_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            return end_child(event.child_workflow_execution_completed_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            return end_child(event.child_workflow_execution_failed_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            return end_child(event.child_workflow_execution_canceled_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            return end_child(event.child_workflow_execution_timed_out_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            return end_child(event.child_workflow_execution_terminated_event_attributes());
        default: return false;
    }
}

bool Rebuild::fold_nexus(const HistoryEvent& event) {
    const auto change = [&](std::int64_t id, auto edit) {
        const storage::NexusOperationRow* pending = run_.nexus_operations.find(id);
        // Its outcome may have been buffered when cancellation was requested.
        if (pending == nullptr) return;
        storage::NexusOperationRow row = *pending;
        edit(row);
        run_.nexus_operations.put(id, std::move(row));
    };
    const auto end_operation = [&](const auto& attributes) {
        end(run_.nexus_operations, attributes.scheduled_event_id(), event);
        return true;
    };
    switch (event.event_type()) {
        case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: {
            storage::NexusOperationRow row =
                nexus_operation_row(event, from_proto(event.event_time()));
            row.set_scheduled_event_id(event.event_id());
            run_.nexus_operations.put(event.event_id(), std::move(row));
            return true;
        }
        case enums::EVENT_TYPE_NEXUS_OPERATION_STARTED: {
            const auto& started = event.nexus_operation_started_event_attributes();
            change(started.scheduled_event_id(), [&](storage::NexusOperationRow& row) {
                row.set_operation_token(started.operation_token());
                *row.mutable_started_time() = event.event_time();
                row.clear_input();
            });
            return true;
        }
        case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED:
            change(event.nexus_operation_cancel_requested_event_attributes().scheduled_event_id(),
                   [&](storage::NexusOperationRow& row) {
                       row.mutable_cancellation()->set_requested_event_id(event.event_id());
                       *row.mutable_cancellation()->mutable_requested_time() = event.event_time();
                       row.mutable_cancellation()->set_attempt(1);
                   });
            return true;
        case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED:
            change(event.nexus_operation_cancel_request_completed_event_attributes()
                       .scheduled_event_id(),
                   [](storage::NexusOperationRow& row) {
                       row.mutable_cancellation()->set_over(true);
                   });
            return true;
        case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED:
            change(
                event.nexus_operation_cancel_request_failed_event_attributes().scheduled_event_id(),
                [](storage::NexusOperationRow& row) {
                    row.mutable_cancellation()->set_over(true);
                });
            return true;
        case enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED:
            return end_operation(event.nexus_operation_completed_event_attributes());
        case enums::EVENT_TYPE_NEXUS_OPERATION_FAILED:
            return end_operation(event.nexus_operation_failed_event_attributes());
        case enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED:
            return end_operation(event.nexus_operation_canceled_event_attributes());
        case enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT:
            return end_operation(event.nexus_operation_timed_out_event_attributes());
        default: return false;
    }
}

}  // namespace stele::history
