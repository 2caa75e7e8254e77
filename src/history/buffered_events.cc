#include "base/probe.h"
#include "history/builder.h"
#include "history/child_outcome.h"

#include <unordered_map>
#include <utility>

// Events that arrive while a worker holds the workflow task. The worker has seen the history up to
// its task and its commands will follow that; so these events wait, without an id, until the task
// ends.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

/// An outcome must stand after the start that it answers, however the two arrived.
bool is_outcome(EventType type) {
    switch (type) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
        case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
        case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
        case enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED:
        case enums::EVENT_TYPE_NEXUS_OPERATION_FAILED:
        case enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED:
        case enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT: return true;
        default: return is_child_outcome(type);
    }
}

/// Tells outcomes the id of their start once it has one.
class StartedIds {
public:
    void note(const HistoryEvent& event, EventId id) {
        if (event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_STARTED) {
            started_[event.activity_task_started_event_attributes().scheduled_event_id()] = id;
        } else if (event.event_type() == enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) {
            started_[event.child_workflow_execution_started_event_attributes()
                         .initiated_event_id()] = id;
        }
    }

    void wire(HistoryEvent& event) const {
        switch (event.event_type()) {
            case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                return wire_activity(*event.mutable_activity_task_completed_event_attributes());
            case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
                return wire_activity(*event.mutable_activity_task_failed_event_attributes());
            case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
                return wire_activity(*event.mutable_activity_task_timed_out_event_attributes());
            case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
                return wire_activity(*event.mutable_activity_task_canceled_event_attributes());
            default:
                return visit_child_outcome(event,
                                           [this](auto& attributes) { wire_child(attributes); });
        }
    }

private:
    template <typename Attributes>
    void wire_activity(Attributes& attributes) const {
        const auto found = started_.find(attributes.scheduled_event_id());
        if (found != started_.end()) attributes.set_started_event_id(found->second.value());
    }
    template <typename Attributes>
    void wire_child(Attributes& attributes) const {
        const auto found = started_.find(attributes.initiated_event_id());
        if (found != started_.end()) attributes.set_started_event_id(found->second.value());
    }

    std::unordered_map<std::int64_t, EventId> started_;  // by scheduled or initiated event
};

/// The request id under which a buffered event is remembered; empty when it has none.
const std::string& request_id_of(const HistoryEvent& event) {
    if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED) {
        const auto& updated = event.workflow_execution_options_updated_event_attributes();
        return updated.workflow_update_options().empty()
                   ? updated.attached_request_id()
                   : updated.workflow_update_options(0).attached_request_id();
    }
    return event.workflow_execution_signaled_event_attributes().request_id();
}

}  // namespace

EventId Builder::add_or_buffer_event(HistoryEvent event) {
    const bool wait = hold_outside_events_ || has_started_workflow_task() || has_buffered_events();
    if (!wait) {
        ++outside_events_;
        return add_event(std::move(event));
    }
    if (!event.has_event_time()) *event.mutable_event_time() = to_proto(now());
    storage::BufferedEventRow row;
    row.set_sequence(next_item());
    *row.mutable_event() = std::move(event);
    header().set_buffered_bytes(header().buffered_bytes() +
                                static_cast<std::int64_t>(row.event().ByteSizeLong()));
    const ItemId id = row.sequence();
    draft().buffered.insert(id, std::move(row));
    STELE_PROBE("history.event-buffered");
    return kNoEvent;
}

std::optional<ItemId> Builder::find_buffered(
    const std::function<bool(const HistoryEvent&)>& matches) const {
    std::optional<ItemId> found;
    draft().buffered.for_each([&](ItemId id, const storage::BufferedEventRow& row) {
        if (!found && matches(row.event())) found = id;
    });
    return found;
}

void Builder::remove_buffered(ItemId id) {
    STELE_PROBE("history.buffered-event-withdrawn");
    const auto bytes = static_cast<std::int64_t>(draft().buffered.find(id)->event().ByteSizeLong());
    header().set_buffered_bytes(header().buffered_bytes() - bytes);
    draft().buffered.erase(id);
}

void Builder::note_started_child(const HistoryEvent& event, EventId id) {
    if (event.event_type() != enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) return;
    const std::int64_t initiated =
        event.child_workflow_execution_started_event_attributes().initiated_event_id();
    // The child may have ended already: its outcome is then among the events that are flushed.
    STELE_PROBE_IF("history.child-ended-behind-its-start",
                   draft().children.find(initiated) == nullptr);
    if (draft().children.find(initiated) == nullptr) return;
    draft().children.edit(initiated).set_started_event_id(id.value());
}

bool Builder::flush_buffered_events() {
    if (!has_buffered_events()) return false;
    std::vector<HistoryEvent> first;
    std::vector<HistoryEvent> outcomes;
    std::vector<ItemId> flushed;
    draft().buffered.for_each([&](ItemId id, const storage::BufferedEventRow& row) {
        flushed.push_back(id);
        (is_outcome(row.event().event_type()) ? outcomes : first).push_back(row.event());
    });
    for (const ItemId id : flushed) draft().buffered.erase(id);
    header().set_buffered_bytes(0);
    outside_events_ += static_cast<std::int64_t>(flushed.size());

    StartedIds started;
    if (STELE_BUG("history.buffered-event-lost") && first.size() > 1) first.pop_back();
    if (STELE_BUG("history.outcomes-before-starts")) std::swap(first, outcomes);
    STELE_PROBE_IF("history.flush-reorders", !first.empty() && !outcomes.empty());
    for (HistoryEvent& event : first) {
        const EventId id(header().next_event_id());
        started.note(event, id);
        const std::string request_id = request_id_of(event);
        const storage::RequestIdRow* remembered =
            request_id.empty() ? nullptr : draft().request_ids.find_named(request_id);
        if (remembered != nullptr) {
            draft().request_ids.edit(remembered->sequence()).set_event_id(id.value());
        }
        note_started_child(event, id);
        add_event(std::move(event));
    }
    for (HistoryEvent& event : outcomes) {
        started.wire(event);
        add_event(std::move(event));
    }
    return true;
}

}  // namespace stele::history
