#include "history/reapply.h"
#include "history/reset.h"

#include <utility>

// What the old run has learned, behind the reset point, of children that it had asked for in front of
// it. Nobody would tell the new run again.
namespace stele::history {

namespace enums = api::enums::v1;

namespace {

/// Calls `visit(attributes)` if the event tells how a child has ended.
template <typename Event, typename Visit>
bool visit_outcome(Event& event, Visit visit) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            visit(*event.mutable_child_workflow_execution_completed_event_attributes());
            return true;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            visit(*event.mutable_child_workflow_execution_failed_event_attributes());
            return true;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            visit(*event.mutable_child_workflow_execution_canceled_event_attributes());
            return true;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
            visit(*event.mutable_child_workflow_execution_timed_out_event_attributes());
            return true;
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
            visit(*event.mutable_child_workflow_execution_terminated_event_attributes());
            return true;
        default: return false;
    }
}

/// The event as it is written again: it gets an id, a time and a task id of its own.
HistoryEvent fresh(const HistoryEvent& event) {
    HistoryEvent copy = event;
    copy.clear_event_id();
    copy.clear_event_time();
    copy.clear_task_id();
    return copy;
}

const storage::ChildRow* child_of(const Builder& builder, std::int64_t initiated) {
    return builder.draft().children.find(initiated);
}

void reapply_started(Builder& builder, const HistoryEvent& event) {
    const auto& started = event.child_workflow_execution_started_event_attributes();
    const std::int64_t initiated = started.initiated_event_id();
    const storage::ChildRow* known = child_of(builder, initiated);
    if (known == nullptr || !known->run_id().empty()) return;
    const EventId id = builder.add_event(fresh(event));
    storage::ChildRow& child = builder.draft().children.edit(initiated);
    child.set_run_id(started.workflow_execution().run_id());
    child.set_create_request_id(child.run_id());
    child.set_started_event_id(id.value());
    child.clear_initiated();
    child.clear_user_metadata();
}

void reapply_not_started(Builder& builder, const HistoryEvent& event) {
    const std::int64_t initiated =
        event.start_child_workflow_execution_failed_event_attributes().initiated_event_id();
    const storage::ChildRow* known = child_of(builder, initiated);
    if (known == nullptr || !known->run_id().empty()) return;
    builder.add_event(fresh(event));
    builder.draft().children.erase(initiated);
}

void reapply_outcome(Builder& builder, const HistoryEvent& event) {
    HistoryEvent copy = fresh(event);
    std::int64_t initiated = 0;
    const storage::ChildRow* known = nullptr;
    visit_outcome(copy, [&](auto& attributes) {
        initiated = attributes.initiated_event_id();
        known = child_of(builder, initiated);
        if (known != nullptr) attributes.set_started_event_id(known->started_event_id());
    });
    if (known == nullptr || known->started_event_id() == 0) return;
    builder.add_event(std::move(copy));
    builder.draft().children.erase(initiated);
}

}  // namespace

bool tells_of_child(const HistoryEvent& event) {
    HistoryEvent type;
    type.set_event_type(event.event_type());
    return event.event_type() == enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED ||
           event.event_type() == enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED ||
           visit_outcome(type, [](auto&) {});
}

void reapply_child(Builder& builder, const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            return reapply_started(builder, event);
        case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
            return reapply_not_started(builder, event);
        default: return reapply_outcome(builder, event);
    }
}

}  // namespace stele::history
