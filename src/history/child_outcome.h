#pragma once

#include "history/builder.h"

// The five events that tell a parent how a child has ended. Pure.
namespace stele::history {

constexpr bool is_child_outcome(EventType type) {
    namespace enums = temporal::api::enums::v1;
    switch (type) {
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: return true;
        default: return false;
    }
}

/// Calls `visit(attributes)` with what the event tells of the end of a child; does nothing if it
/// tells of none. All five kinds of attributes name the events that initiated and started the child.
template <typename Visit>
void visit_child_outcome(HistoryEvent& event, Visit visit) {
    namespace enums = temporal::api::enums::v1;
    switch (event.event_type()) {
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            return visit(*event.mutable_child_workflow_execution_completed_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            return visit(*event.mutable_child_workflow_execution_failed_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            return visit(*event.mutable_child_workflow_execution_canceled_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            return visit(*event.mutable_child_workflow_execution_timed_out_event_attributes());
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            return visit(*event.mutable_child_workflow_execution_terminated_event_attributes());
        default: return;
    }
}

}  // namespace stele::history
