#include "history/child_outcome.h"
#include "history/event_rows.h"
#include "history/reapply.h"
#include "history/reset.h"

#include <utility>

// What the old run has learned, behind the reset point, of children that it had asked for in front of
// it. Nobody would tell the new run again.
namespace stele::history {

namespace enums = api::enums::v1;

namespace {

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
    mark_started(builder.draft().children.edit(initiated), event, id);
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
    visit_child_outcome(copy, [&](auto& attributes) {
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
    return event.event_type() == enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED ||
           event.event_type() == enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED ||
           is_child_outcome(event.event_type());
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
