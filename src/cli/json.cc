#include "cli/json.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

namespace stele::cli {
namespace {

namespace common = temporal::api::common::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string metadata(const common::Payload& payload, const char* key) {
    const auto found = payload.metadata().find(key);
    return found == payload.metadata().end() ? "" : found->second;
}

/// Sets `value` to what the payload encodes, if there is a shorthand for its encoding.
bool decode(const common::Payload& payload, Json& value) {
    const std::string encoding = metadata(payload, "encoding");
    if (encoding == "binary/null") {
        value = nullptr;
        return true;
    }
    if (encoding != "json/plain" && encoding != "json/protobuf") return false;
    Json parsed = Json::parse(payload.data(), nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) return false;
    if (encoding == "json/protobuf" && parsed.is_object()) {
        parsed["_protoMessageType"] = metadata(payload, "messageType");
    }
    value = std::move(parsed);
    return true;
}

/// A payload with further metadata, such as a search attribute with its type, says more than its
/// value: it has no shorthand inside a message.
bool is_plain(const common::Payload& payload) {
    return metadata(payload, "encoding") == "json/protobuf" || payload.metadata_size() == 1;
}

bool shorten_payloads(const common::Payloads& payloads, Json& json) {
    Json values = Json::array();
    for (const common::Payload& payload : payloads.payloads()) {
        Json value;
        if (!is_plain(payload) || !decode(payload, value)) return false;
        values.push_back(std::move(value));
    }
    json = std::move(values);
    return true;
}

void shorten(const Message& message, Json& json);

void shorten_field(const Message& message, const FieldDescriptor& field, Json& json) {
    const google::protobuf::Reflection& reflection = *message.GetReflection();
    if (!field.is_repeated()) return shorten(reflection.GetMessage(message, &field), json);
    const int count = reflection.FieldSize(message, &field);
    for (int i = 0; i < count; ++i) {
        const Message& element = reflection.GetRepeatedMessage(message, &field, i);
        if (!field.is_map()) {
            shorten(element, json[static_cast<std::size_t>(i)]);
            continue;
        }
        const FieldDescriptor* key = field.message_type()->map_key();
        const FieldDescriptor* value = field.message_type()->map_value();
        const google::protobuf::Reflection& entry = *element.GetReflection();
        if (value->message_type() == nullptr ||
            key->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
            return;
        }
        shorten(entry.GetMessage(element, value), json[entry.GetString(element, key)]);
    }
}

/// Walks the message and its JSON side by side and puts values in the place of payloads.
void shorten(const Message& message, Json& json) {
    if (const auto* payload = dynamic_cast<const common::Payload*>(&message)) {
        if (is_plain(*payload)) decode(*payload, json);
        return;
    }
    if (const auto* payloads = dynamic_cast<const common::Payloads*>(&message)) {
        shorten_payloads(*payloads, json);
        return;
    }
    if (!json.is_object()) return;  // a well-known type that is written as a string
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
        if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
        const auto found = json.find(field->json_name());
        if (found != json.end()) shorten_field(message, *field, *found);
    }
}

std::string failure_kind(const temporal::api::failure::v1::Failure& failure) {
    if (failure.has_application_failure_info()) return failure.application_failure_info().type();
    if (failure.has_timeout_failure_info()) return "timeout";
    if (failure.has_canceled_failure_info()) return "canceled";
    if (failure.has_terminated_failure_info()) return "terminated";
    if (failure.has_activity_failure_info()) {
        return fmt::format("activity {}", failure.activity_failure_info().activity_type().name());
    }
    if (failure.has_child_workflow_execution_failure_info()) {
        return fmt::format("child workflow {}",
                           failure.child_workflow_execution_failure_info().workflow_type().name());
    }
    return "";
}

}  // namespace

absl::StatusOr<Json> message_to_json(const Message& message, PayloadStyle style) {
    std::string text;
    const auto status = google::protobuf::util::MessageToJsonString(message, &text);
    if (!status.ok()) return internal_error("can not be written as JSON: " + status.ToString());
    Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) return internal_error("can not be written as JSON");
    if (style == PayloadStyle::kShorthand) shorten(message, json);
    return json;
}

Json payload_to_json(const common::Payload& payload) {
    Json value;
    if (decode(payload, value)) return value;
    auto verbatim = message_to_json(payload, PayloadStyle::kVerbatim);
    return verbatim.ok() ? *std::move(verbatim) : Json(nullptr);
}

Json payloads_to_json(const common::Payloads& payloads) {
    if (payloads.payloads_size() == 0) return nullptr;
    if (payloads.payloads_size() == 1) return payload_to_json(payloads.payloads(0));
    Json values = Json::array();
    for (const common::Payload& payload : payloads.payloads()) {
        values.push_back(payload_to_json(payload));
    }
    return values;
}

std::string payload_text(const common::Payload& payload) { return payload_to_json(payload).dump(); }

std::string failure_text(const temporal::api::failure::v1::Failure& failure) {
    std::string text;
    const auto* at = &failure;
    while (true) {
        text += at->message();
        if (const std::string kind = failure_kind(*at); !kind.empty()) text += " (" + kind + ")";
        if (!at->has_cause()) return text;
        text += ", caused by: ";
        at = &at->cause();
    }
}

}  // namespace stele::cli
