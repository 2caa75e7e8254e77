#pragma once

#include "base/status.h"
#include "base/time.h"
#include "history/context.h"
#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/enums/v1/common.pb.h"

#include <google/protobuf/map.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Search attributes: what runs are found by. Some the server fills in by itself, some have a fixed
// meaning and belong to every namespace, the rest are a namespace's own.
namespace stele::history {

using AttributeType = temporal::api::enums::v1::IndexedValueType;
using AttributeTypes = std::map<std::string, AttributeType, std::less<>>;

/// What the server keeps of every run; nobody can set these.
const AttributeTypes& system_attributes();
/// Attributes of a fixed meaning that every namespace has.
const AttributeTypes& predefined_attributes();
/// Whether a namespace can not have an attribute of its own with this name.
bool is_reserved_attribute(std::string_view name);
/// As messages call a type, such as "Keyword".
std::string type_name(AttributeType type);

/// One value as filters compare it: of a Keyword, KeywordList or Text a string, of a Datetime a
/// timestamp.
using AttributeValue = std::variant<bool, std::int64_t, double, Timestamp, std::string>;

/// The values of a payload, several for a list; none where it stands for "no value". An error when
/// it is not of the type. Pure.
absl::StatusOr<std::vector<AttributeValue>> decode_attribute(
    const temporal::api::common::v1::Payload& payload, AttributeType type);
/// The payload as JSON in the way that error messages show it.
std::string describe_attribute(const temporal::api::common::v1::Payload& payload);

/// The time of an RFC 3339 text, or nullopt.
std::optional<Timestamp> parse_time(std::string_view text);

/// The attributes that one namespace knows. Immutable, hence thread safe.
class SearchAttributeSchema {
public:
    /// `custom`: name to temporal.api.enums.v1.IndexedValueType.
    SearchAttributeSchema(std::string namespace_name,
                          const google::protobuf::Map<std::string, std::int32_t>& custom);

    /// INVALID_ARGUMENT that names the first attribute which the namespace does not know, which only
    /// the server may set, or whose value does not fit.
    absl::Status check(const temporal::api::common::v1::SearchAttributes& attributes,
                       const Limits& limits) const;

    /// The namespace's own attributes and those that every namespace has beside the system's.
    std::optional<AttributeType> settable(std::string_view name) const;
    const AttributeTypes& custom() const { return custom_; }

    /// Says in each payload of which type it is, as clients expect to read it.
    void add_types(temporal::api::common::v1::SearchAttributes& attributes) const;

private:
    absl::Status check_one(const std::string& name,
                           const temporal::api::common::v1::Payload& payload) const;

    std::string namespace_name_;
    AttributeTypes custom_;
};

}  // namespace stele::history
