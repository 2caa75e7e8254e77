#include "fuzz/target.h"

#include "history/search_attributes.h"

// A payload as the value of a search attribute of each type: its values are of the type, or it is
// refused as an invalid argument.
namespace {

namespace enums = temporal::api::enums::v1;
using namespace stele;

bool fits(const history::AttributeValue& value, history::AttributeType type) {
    switch (type) {
        case enums::INDEXED_VALUE_TYPE_BOOL: return std::holds_alternative<bool>(value);
        case enums::INDEXED_VALUE_TYPE_INT: return std::holds_alternative<std::int64_t>(value);
        case enums::INDEXED_VALUE_TYPE_DOUBLE: return std::holds_alternative<double>(value);
        case enums::INDEXED_VALUE_TYPE_DATETIME: return std::holds_alternative<Timestamp>(value);
        default: return std::holds_alternative<std::string>(value);
    }
}

}  // namespace

// The type, the encoding on a line, and the data.
STELE_FUZZ_TARGET(search_attributes) {
    stele::fuzz::Pieces pieces(input);
    const auto type = static_cast<history::AttributeType>(pieces.byte() % 9);
    temporal::api::common::v1::Payload payload;
    const std::string_view encoding = pieces.line();
    if (!encoding.empty()) (*payload.mutable_metadata())["encoding"] = std::string(encoding);
    payload.set_data(std::string(pieces.rest()));

    const auto values = history::decode_attribute(payload, type);
    if (values.ok()) {
        for (const auto& value : *values) STELE_CHECK(fits(value, type), "of another type");
    } else {
        STELE_CHECK(values.status().code() == absl::StatusCode::kInvalidArgument, "another error");
        STELE_CHECK(!message_of(values.status()).empty(), "no word about what is wrong");
    }
    const std::string text = history::describe_attribute(payload);
    STELE_CHECK(text.size() <= 256 + 8 * (payload.data().size() + encoding.size()),
                "a short payload makes a long message");

    google::protobuf::Map<std::string, std::int32_t> custom;
    custom["own"] = type;
    const history::SearchAttributeSchema schema("space", custom);
    temporal::api::common::v1::SearchAttributes attributes;
    (*attributes.mutable_indexed_fields())["own"] = payload;
    const absl::Status status = schema.check(attributes, history::Limits());
    STELE_CHECK(status.ok() || message_of(status).find("own") != std::string::npos,
                "the error does not name the attribute: " + message_of(status));
}
