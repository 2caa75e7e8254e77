#include "sdk/data/owner.h"

#include <nlohmann/json.hpp>

namespace stele::sdk {

namespace {

using temporal::api::command::v1::Command;
using temporal::api::history::v1::HistoryEvent;

/// A local activity's marker tells in its "data" what ran.
template <class Marker>
Owner owner_of_marker(const Marker& marker, const Owner& outer) {
    const auto data = marker.details().find("data");
    if (data == marker.details().end() || data->second.payloads().empty()) return outer;
    const auto json = nlohmann::json::parse(data->second.payloads(0).data(), nullptr, false);
    if (!json.is_object()) return outer;
    const auto text = [&](const char* key) {
        const auto found = json.find(key);
        return found != json.end() && found->is_string() ? found->template get<std::string>()
                                                         : std::string();
    };
    return {outer.workflow_id, text("activity_type"), text("activity_id")};
}

Owner look_up(const ScheduledActivities& activities, std::int64_t scheduled, const Owner& outer) {
    const auto found = activities.find(scheduled);
    if (found == activities.end()) return outer;
    return {outer.workflow_id, found->second.type, found->second.id};
}

Owner take(ScheduledActivities& activities, std::int64_t scheduled, const Owner& outer) {
    Owner owner = look_up(activities, scheduled, outer);
    activities.erase(scheduled);
    return owner;
}

}  // namespace

Owner owner_of(const Command& command, const Owner& outer) {
    switch (command.attributes_case()) {
        case Command::kScheduleActivityTaskCommandAttributes: {
            const auto& attributes = command.schedule_activity_task_command_attributes();
            return {outer.workflow_id, attributes.activity_type().name(), attributes.activity_id()};
        }
        case Command::kStartChildWorkflowExecutionCommandAttributes:
            return {command.start_child_workflow_execution_command_attributes().workflow_id()};
        case Command::kSignalExternalWorkflowExecutionCommandAttributes:
            return {command.signal_external_workflow_execution_command_attributes()
                        .execution()
                        .workflow_id()};
        case Command::kRecordMarkerCommandAttributes:
            return owner_of_marker(command.record_marker_command_attributes(), outer);
        default: return outer;
    }
}

Owner owner_of(const HistoryEvent& event, const Owner& outer, ScheduledActivities& activities) {
    switch (event.attributes_case()) {
        case HistoryEvent::kActivityTaskScheduledEventAttributes: {
            const auto& attributes = event.activity_task_scheduled_event_attributes();
            const auto& type = attributes.activity_type().name();
            activities[event.event_id()] = {type, attributes.activity_id()};
            return {outer.workflow_id, type, attributes.activity_id()};
        }
        case HistoryEvent::kActivityTaskStartedEventAttributes:
            return look_up(activities,
                           event.activity_task_started_event_attributes().scheduled_event_id(),
                           outer);
        case HistoryEvent::kActivityTaskCompletedEventAttributes:
            return take(activities,
                        event.activity_task_completed_event_attributes().scheduled_event_id(),
                        outer);
        case HistoryEvent::kActivityTaskFailedEventAttributes:
            return take(activities,
                        event.activity_task_failed_event_attributes().scheduled_event_id(), outer);
        case HistoryEvent::kActivityTaskTimedOutEventAttributes:
            return take(activities,
                        event.activity_task_timed_out_event_attributes().scheduled_event_id(),
                        outer);
        case HistoryEvent::kActivityTaskCanceledEventAttributes:
            return take(activities,
                        event.activity_task_canceled_event_attributes().scheduled_event_id(),
                        outer);
        case HistoryEvent::kStartChildWorkflowExecutionInitiatedEventAttributes:
            return {
                event.start_child_workflow_execution_initiated_event_attributes().workflow_id()};
        case HistoryEvent::kChildWorkflowExecutionCompletedEventAttributes:
            return {event.child_workflow_execution_completed_event_attributes()
                        .workflow_execution()
                        .workflow_id()};
        case HistoryEvent::kChildWorkflowExecutionFailedEventAttributes:
            return {event.child_workflow_execution_failed_event_attributes()
                        .workflow_execution()
                        .workflow_id()};
        case HistoryEvent::kChildWorkflowExecutionCanceledEventAttributes:
            return {event.child_workflow_execution_canceled_event_attributes()
                        .workflow_execution()
                        .workflow_id()};
        case HistoryEvent::kSignalExternalWorkflowExecutionInitiatedEventAttributes:
            return {event.signal_external_workflow_execution_initiated_event_attributes()
                        .workflow_execution()
                        .workflow_id()};
        case HistoryEvent::kMarkerRecordedEventAttributes:
            return owner_of_marker(event.marker_recorded_event_attributes(), outer);
        default: return outer;
    }
}

}  // namespace stele::sdk
