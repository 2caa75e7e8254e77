#include "history/command.h"

#include <utility>

namespace stele::history {

namespace enums = temporal::api::enums::v1;

CommandResult handle_record_marker(Completion& completion, const Command& command) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES;
    if (!command.has_record_marker_command_attributes()) {
        return refuse(kBad, "RecordMarkerCommandAttributes is not set on RecordMarkerCommand.");
    }
    const auto& attributes = command.record_marker_command_attributes();
    if (attributes.marker_name().empty()) {
        return refuse(kBad, "MarkerName is not set on RecordMarkerCommand.");
    }
    if (CommandResult refusal =
            check_id_length(completion, kBad, "MarkerName on RecordMarkerCommand", "MarkerName",
                            attributes.marker_name())) {
        return refusal;
    }
    std::size_t bytes = 0;
    for (const auto& [name, payloads] : attributes.details()) {
        bytes += name.size() + payloads.ByteSizeLong();
    }
    if (CommandResult refusal = check_blob_size(
            completion, bytes, kBad, "RecordMarkerCommandAttributes.Details exceeds size limit.")) {
        return refusal;
    }
    HistoryEvent event = command_event(enums::EVENT_TYPE_MARKER_RECORDED, command);
    auto& recorded = *event.mutable_marker_recorded_event_attributes();
    recorded.set_marker_name(attributes.marker_name());
    *recorded.mutable_details() = attributes.details();
    recorded.set_workflow_task_completed_event_id(completion.completed.value());
    if (attributes.has_header()) *recorded.mutable_header() = attributes.header();
    if (attributes.has_failure()) *recorded.mutable_failure() = attributes.failure();
    completion.builder.add_event(std::move(event));
    return std::nullopt;
}

}  // namespace stele::history
