#include "sdk/replay/history_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <cctype>
#include <nlohmann/json.hpp>

#include "stele/errors.h"

namespace stele::sdk {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

/// "WorkflowExecutionStarted" as "WORKFLOW_EXECUTION_STARTED".
std::string with_underscores(const std::string& name) {
    std::string text;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto c = static_cast<unsigned char>(name[i]);
        if (i > 0 && std::isupper(c) != 0) text += '_';
        text += static_cast<char>(std::toupper(c));
    }
    return text;
}

/// The full name of the enumerator that a short one stands for: the one that ends in it.
std::string full_name(const EnumDescriptor& type, const std::string& name) {
    if (type.FindValueByName(name) != nullptr) return name;
    const std::string ending = "_" + with_underscores(name);
    for (int i = 0; i < type.value_count(); ++i) {
        const std::string& candidate = type.value(i)->name();
        // What stands before is the name of the type, so the short name is unambiguous.
        const std::string prefix = with_underscores(type.name());
        if (candidate == prefix + ending) return candidate;
    }
    return name;  // the parser says that it does not know it
}

void lengthen_enumerators(Json& object, const Descriptor& type);

void lengthen_enumerators(Json& value, const FieldDescriptor& field) {
    if (field.type() == FieldDescriptor::TYPE_ENUM) {
        if (value.is_string()) value = full_name(*field.enum_type(), value.get<std::string>());
    } else if (field.type() == FieldDescriptor::TYPE_MESSAGE && value.is_object()) {
        lengthen_enumerators(value, *field.message_type());
    }
}

void lengthen_enumerators(Json& object, const Descriptor& type) {
    for (auto& [name, value] : object.items()) {
        const FieldDescriptor* field = type.FindFieldByCamelcaseName(name);
        if (field == nullptr) field = type.FindFieldByName(name);
        if (field == nullptr) continue;
        if (field->is_map()) {
            if (!value.is_object()) continue;
            for (auto& entry : value)
                lengthen_enumerators(entry, *field->message_type()->map_value());
        } else if (field->is_repeated()) {
            if (!value.is_array()) continue;
            for (auto& element : value) lengthen_enumerators(element, *field);
        } else {
            lengthen_enumerators(value, *field);
        }
    }
}

}  // namespace

temporal::api::history::v1::History read_history_json(const std::string& json) {
    Json document = Json::parse(json, nullptr, false);
    if (document.is_discarded() || !document.is_object())
        throw DataConversionError("not a history in JSON: it is not a JSON object");
    temporal::api::history::v1::History history;
    lengthen_enumerators(document, *history.GetDescriptor());
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    const auto status =
        google::protobuf::util::JsonStringToMessage(document.dump(), &history, options);
    if (!status.ok()) throw DataConversionError("not a history in JSON: " + status.ToString());
    return history;
}

}  // namespace stele::sdk
