#include "sdk/core/patch_machine.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "sdk/core/errors.h"
#include "sdk/core/history_buffer.h"
#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

namespace {

constexpr char kMarkerName[] = "core_patch";
constexpr char kDataKey[] = "patch-data";
constexpr char kChangeVersion[] = "TemporalChangeVersion";
constexpr std::size_t kChangeVersionBytesMax = 2048;

temporal::api::common::v1::Payload json_payload(const nlohmann::json& json) {
    temporal::api::common::v1::Payload payload;
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(json.dump());
    return payload;
}

}  // namespace

std::optional<PatchMarker> PatchMarker::parse(const HistoryEvent& event) {
    if (event.event_type() != enums::EVENT_TYPE_MARKER_RECORDED) return std::nullopt;
    const auto& attributes = event.marker_recorded_event_attributes();
    if (attributes.marker_name() != kMarkerName) return std::nullopt;
    const auto details = attributes.details().find(kDataKey);
    if (details == attributes.details().end() || details->second.payloads().empty())
        fail_nondeterminism(core::describe(event) + " is a version marker without its data");
    const auto json = nlohmann::json::parse(details->second.payloads(0).data(), nullptr, false);
    if (!json.is_object() || !json.contains("id") || !json["id"].is_string())
        fail_nondeterminism(core::describe(event) + " is a version marker with unreadable data");
    return PatchMarker{json["id"].get<std::string>(), json.value("deprecated", false)};
}

Command PatchMarker::to_command() const {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
    auto& attributes = *command.mutable_record_marker_command_attributes();
    attributes.set_marker_name(kMarkerName);
    *(*attributes.mutable_details())[kDataKey].add_payloads() =
        json_payload({{"id", id}, {"deprecated", deprecated}});
    return command;
}

std::optional<Command> make_change_version_upsert(const std::set<std::string>& patches) {
    auto payload = json_payload(std::vector<std::string>(patches.begin(), patches.end()));
    if (payload.data().size() > kChangeVersionBytesMax) return std::nullopt;
    (*payload.mutable_metadata())["type"] = "KeywordList";
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
    (*command.mutable_upsert_workflow_search_attributes_command_attributes()
          ->mutable_search_attributes()
          ->mutable_indexed_fields())[kChangeVersion] = std::move(payload);
    return command;
}

bool is_change_version_upsert(const HistoryEvent& event) {
    if (event.event_type() != enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) return false;
    const auto& fields = event.upsert_workflow_search_attributes_event_attributes()
                             .search_attributes()
                             .indexed_fields();
    return fields.size() == 1 && fields.contains(kChangeVersion);
}

std::string PatchMachine::describe() const { return "the patch \"" + marker_.id + "\""; }

void PatchMachine::on_command_event(const HistoryEvent& event) {
    const std::optional<PatchMarker> recorded = PatchMarker::parse(event);
    if (!recorded) fail_mismatch(event, *this, "the history has another kind of step");
    if (recorded->id != marker_.id)
        fail_mismatch(event, *this, "the history has the patch \"" + recorded->id + "\"");
    matched_ = true;
}

std::optional<Job> PatchMachine::on_consequence(const HistoryEvent& event) {
    fail_mismatch(event, *this, "this event cannot follow from it");
}

}  // namespace stele::core
