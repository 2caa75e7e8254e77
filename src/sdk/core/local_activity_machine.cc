#include "sdk/core/local_activity_machine.h"

#include <google/protobuf/util/time_util.h>

#include <nlohmann/json.hpp>

#include "sdk/core/errors.h"
#include "sdk/core/history_buffer.h"
#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;
using google::protobuf::util::TimeUtil;

namespace {

constexpr char kMarkerName[] = "core_local_activity";
constexpr char kDataKey[] = "data";
constexpr char kResultKey[] = "result";

std::string write_time(std::int64_t nanoseconds) {
    return TimeUtil::ToString(TimeUtil::NanosecondsToTimestamp(nanoseconds));
}

std::int64_t read_time(const nlohmann::json& json, const char* key) {
    google::protobuf::Timestamp time;
    if (!json.contains(key) || !json[key].is_string() ||
        !TimeUtil::FromString(json[key].get<std::string>(), &time))
        return 0;
    return TimeUtil::TimestampToNanoseconds(time);
}

Milliseconds read_backoff(const nlohmann::json& json) {
    google::protobuf::Duration duration;
    if (!json.contains("backoff") || !json["backoff"].is_string() ||
        !TimeUtil::FromString(json["backoff"].get<std::string>(), &duration))
        return Milliseconds(0);
    return Milliseconds(TimeUtil::DurationToMilliseconds(duration));
}

}  // namespace

std::optional<LocalActivityMarker> LocalActivityMarker::parse(const HistoryEvent& event) {
    if (event.event_type() != enums::EVENT_TYPE_MARKER_RECORDED) return std::nullopt;
    const auto& attributes = event.marker_recorded_event_attributes();
    if (attributes.marker_name() != kMarkerName) return std::nullopt;
    const auto data = attributes.details().find(kDataKey);
    if (data == attributes.details().end() || data->second.payloads().empty())
        fail_nondeterminism(core::describe(event) + " is a local activity marker without its data");
    const auto json = nlohmann::json::parse(data->second.payloads(0).data(), nullptr, false);
    if (!json.is_object() || !json.contains("seq") || !json["seq"].is_number_unsigned())
        fail_nondeterminism(core::describe(event) +
                            " is a local activity marker with unreadable data");
    LocalActivityMarker marker;
    marker.sequence = json["seq"].get<Sequence>();
    marker.activity_id = json.value("activity_id", "");
    marker.type = json.value("activity_type", "");
    LocalActivityOutcome& outcome = marker.outcome;
    outcome.attempt = json.value("attempt", 1);
    outcome.complete_time_nanoseconds = read_time(json, "complete_time");
    outcome.original_schedule_time_nanoseconds = read_time(json, "original_schedule_time");
    outcome.backoff = read_backoff(json);
    if (attributes.has_failure()) {
        outcome.resolution.kind = Resolution::Kind::kFailed;
        outcome.resolution.failure = attributes.failure();
    } else if (const auto result = attributes.details().find(kResultKey);
               result != attributes.details().end()) {
        outcome.resolution.result = result->second;
    }
    return marker;
}

Command LocalActivityMarker::to_command() const {
    nlohmann::json json = {
        {"seq", sequence},
        {"attempt", outcome.attempt},
        {"activity_id", activity_id},
        {"activity_type", type},
        {"complete_time", write_time(outcome.complete_time_nanoseconds)},
        {"original_schedule_time", write_time(outcome.original_schedule_time_nanoseconds)}};
    if (outcome.backoff.count() > 0)
        json["backoff"] =
            TimeUtil::ToString(TimeUtil::MillisecondsToDuration(outcome.backoff.count()));
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
    auto& attributes = *command.mutable_record_marker_command_attributes();
    attributes.set_marker_name(kMarkerName);
    auto& data = *(*attributes.mutable_details())[kDataKey].add_payloads();
    (*data.mutable_metadata())["encoding"] = "json/plain";
    data.set_data(json.dump());
    if (outcome.resolution.kind == Resolution::Kind::kCompleted)
        (*attributes.mutable_details())[kResultKey] = outcome.resolution.result;
    else
        *attributes.mutable_failure() = outcome.resolution.failure;
    return command;
}

std::string LocalActivityMachine::describe() const {
    return "local activity " + std::to_string(activity_.sequence) + " \"" + activity_.type + "\"";
}

void LocalActivityMachine::on_command_event(const HistoryEvent& event) {
    const std::optional<LocalActivityMarker> recorded = LocalActivityMarker::parse(event);
    if (!recorded) fail_mismatch(event, *this, "the history has another kind of step");
    if (recorded->sequence != activity_.sequence ||
        (!recorded->type.empty() && recorded->type != activity_.type))
        fail_mismatch(event, *this,
                      "the history has the end of local activity " +
                          std::to_string(recorded->sequence) + " \"" + recorded->type + "\"");
    matched_ = true;
}

std::optional<Job> LocalActivityMachine::on_consequence(const HistoryEvent& event) {
    fail_mismatch(event, *this, "this event cannot follow from it");
}

}  // namespace stele::core
