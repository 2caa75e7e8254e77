#include "stele/payload.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include "stele/errors.h"

namespace stele::detail {

namespace {

constexpr char kEncoding[] = "encoding";
constexpr char kMessageType[] = "messageType";

Payload with_encoding(std::string_view encoding) {
    Payload payload;
    (*payload.mutable_metadata())[kEncoding] = std::string(encoding);
    return payload;
}

const std::string& encoding_of(const Payload& payload) {
    static const std::string kNone;
    const auto found = payload.metadata().find(kEncoding);
    return found == payload.metadata().end() ? kNone : found->second;
}

[[noreturn]] void throw_wrong_encoding(const Payload& payload, std::string_view wanted) {
    throw_conversion("a payload has the encoding \"" + encoding_of(payload) + "\" where " +
                     std::string(wanted) + " is expected");
}

}  // namespace

void throw_conversion(std::string_view what) { throw DataConversionError(std::string(what)); }

Payload encode_null() { return with_encoding("binary/null"); }

Payload encode_bytes(const Bytes& bytes) {
    Payload payload = with_encoding("binary/plain");
    payload.set_data(bytes.data(), bytes.size());
    return payload;
}

Payload encode_message(const google::protobuf::Message& message) {
    Payload payload = with_encoding("json/protobuf");
    (*payload.mutable_metadata())[kMessageType] = message.GetDescriptor()->full_name();
    const auto status =
        google::protobuf::util::MessageToJsonString(message, payload.mutable_data());
    if (!status.ok()) throw_conversion(status.ToString());
    return payload;
}

Payload encode_json(const nlohmann::json& json) {
    Payload payload = with_encoding("json/plain");
    payload.set_data(json.dump());
    return payload;
}

bool is_null(const Payload& payload) {
    return encoding_of(payload) == "binary/null" ||
           (encoding_of(payload) == "json/plain" && payload.data() == "null");
}

Bytes decode_bytes(const Payload& payload) {
    if (encoding_of(payload) != "binary/plain") throw_wrong_encoding(payload, "binary/plain");
    return Bytes(payload.data().begin(), payload.data().end());
}

void decode_message(const Payload& payload, google::protobuf::Message& message) {
    if (encoding_of(payload) == "binary/protobuf") {
        if (!message.ParseFromString(payload.data()))
            throw_conversion("a payload is not a " + message.GetDescriptor()->full_name());
        return;
    }
    if (encoding_of(payload) != "json/protobuf" && encoding_of(payload) != "json/plain")
        throw_wrong_encoding(payload, "json/protobuf or binary/protobuf");
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    const auto status =
        google::protobuf::util::JsonStringToMessage(payload.data(), &message, options);
    if (!status.ok()) throw_conversion(status.ToString());
}

nlohmann::json decode_json(const Payload& payload) {
    const std::string& encoding = encoding_of(payload);
    if (encoding == "binary/null") return nullptr;
    if (encoding != "json/plain" && encoding != "json/protobuf")
        throw_wrong_encoding(payload, "json/plain");
    return nlohmann::json::parse(payload.data());
}

}  // namespace stele::detail

namespace stele {

#define STELE_COMPILED_IN_LIBRARY(T)                  \
    template Payload encode_value<T>(const T& value); \
    template T decode_value<T>(const Payload& payload);
STELE_COMPILED_IN_LIBRARY(bool)
STELE_COMPILED_IN_LIBRARY(int)
STELE_COMPILED_IN_LIBRARY(std::int64_t)
STELE_COMPILED_IN_LIBRARY(double)
STELE_COMPILED_IN_LIBRARY(std::string)
#undef STELE_COMPILED_IN_LIBRARY

}  // namespace stele

namespace stele::search_attribute {

namespace {

template <class T>
Payload typed(const T& value, const char* type) {
    Payload payload = encode_value(value);
    (*payload.mutable_metadata())["type"] = type;
    return payload;
}

}  // namespace

Payload keyword(const std::string& value) { return typed(value, "Keyword"); }
Payload text(const std::string& value) { return typed(value, "Text"); }
Payload integer(std::int64_t value) { return typed(value, "Int"); }
Payload real(double value) { return typed(value, "Double"); }
Payload boolean(bool value) { return typed(value, "Bool"); }
Payload keyword_list(const std::vector<std::string>& values) {
    return typed(values, "KeywordList");
}

Payload datetime(std::chrono::sys_time<std::chrono::nanoseconds> value) {
    const std::int64_t nanoseconds = value.time_since_epoch().count();
    google::protobuf::Timestamp time;
    time.set_seconds(nanoseconds / 1'000'000'000);
    time.set_nanos(static_cast<std::int32_t>(nanoseconds % 1'000'000'000));
    return typed(google::protobuf::util::TimeUtil::ToString(time), "Datetime");
}

}  // namespace stele::search_attribute
