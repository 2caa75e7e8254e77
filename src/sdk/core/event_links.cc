#include "sdk/core/event_links.h"

#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

std::int64_t initiating_event(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
            return event.activity_task_started_event_attributes().scheduled_event_id();
        case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            return event.activity_task_completed_event_attributes().scheduled_event_id();
        case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
            return event.activity_task_failed_event_attributes().scheduled_event_id();
        case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
            return event.activity_task_timed_out_event_attributes().scheduled_event_id();
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
            return event.activity_task_canceled_event_attributes().scheduled_event_id();
        case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
            return event.external_workflow_execution_signaled_event_attributes()
                .initiated_event_id();
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
            return event.signal_external_workflow_execution_failed_event_attributes()
                .initiated_event_id();
        case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            return event.external_workflow_execution_cancel_requested_event_attributes()
                .initiated_event_id();
        case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
            return event.request_cancel_external_workflow_execution_failed_event_attributes()
                .initiated_event_id();
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
            return event.start_child_workflow_execution_failed_event_attributes()
                .initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            return event.child_workflow_execution_started_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            return event.child_workflow_execution_completed_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            return event.child_workflow_execution_failed_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            return event.child_workflow_execution_canceled_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            return event.child_workflow_execution_timed_out_event_attributes().initiated_event_id();
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            return event.child_workflow_execution_terminated_event_attributes()
                .initiated_event_id();
        default: return 0;
    }
}

bool has_consequences(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
        case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: return true;
        default: return false;
    }
}

}  // namespace stele::core
