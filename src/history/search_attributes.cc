#include "history/search_attributes.h"

#include <algorithm>
#include <array>

// Which attributes there are, and what may be set.
namespace stele::history {

namespace enums = temporal::api::enums::v1;
namespace common = temporal::api::common::v1;

namespace {

constexpr std::string_view kReservedPrefix = "Temporal";
constexpr char kTypeMetadata[] = "type";

/// Names that lists use for something else.
constexpr std::array<std::string_view, 4> kReservedNames = {"NamespaceId", "Memo", "MemoEncoding",
                                                            "VisibilityTaskKey"};

/// Of the predefined ones, those that only the server sets.
constexpr std::array<std::string_view, 6> kSetByServer = {
    "TemporalWorkerDeployment",           "TemporalWorkerDeploymentVersion",
    "TemporalWorkflowVersioningBehavior", "TemporalUsedWorkerDeploymentVersions",
    "TemporalExternalPayloadCount",       "TemporalExternalPayloadSizeBytes"};

bool is_set_by_server(std::string_view name) {
    return system_attributes().contains(name) ||
           std::find(kSetByServer.begin(), kSetByServer.end(), name) != kSetByServer.end();
}

}  // namespace

const AttributeTypes& system_attributes() {
    static const AttributeTypes types = {
        {"WorkflowId", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"RunId", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"WorkflowType", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"StartTime", enums::INDEXED_VALUE_TYPE_DATETIME},
        {"ExecutionTime", enums::INDEXED_VALUE_TYPE_DATETIME},
        {"CloseTime", enums::INDEXED_VALUE_TYPE_DATETIME},
        {"ExecutionStatus", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"TaskQueue", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"HistoryLength", enums::INDEXED_VALUE_TYPE_INT},
        {"ExecutionDuration", enums::INDEXED_VALUE_TYPE_INT},
        {"StateTransitionCount", enums::INDEXED_VALUE_TYPE_INT},
        {"HistorySizeBytes", enums::INDEXED_VALUE_TYPE_INT},
        {"ParentWorkflowId", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"ParentRunId", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"RootWorkflowId", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"RootRunId", enums::INDEXED_VALUE_TYPE_KEYWORD},
    };
    return types;
}

const AttributeTypes& predefined_attributes() {
    static const AttributeTypes types = {
        {"TemporalChangeVersion", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
        {"BinaryChecksums", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
        {"BuildIds", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
        {"BatcherNamespace", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"BatcherUser", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"TemporalScheduledStartTime", enums::INDEXED_VALUE_TYPE_DATETIME},
        {"TemporalScheduledById", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"TemporalSchedulePaused", enums::INDEXED_VALUE_TYPE_BOOL},
        {"TemporalNamespaceDivision", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"TemporalPauseInfo", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
        {"TemporalReportedProblems", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
        {"TemporalWorkerDeploymentVersion", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"TemporalWorkflowVersioningBehavior", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"TemporalWorkerDeployment", enums::INDEXED_VALUE_TYPE_KEYWORD},
        {"TemporalUsedWorkerDeploymentVersions", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
        {"TemporalExternalPayloadCount", enums::INDEXED_VALUE_TYPE_INT},
        {"TemporalExternalPayloadSizeBytes", enums::INDEXED_VALUE_TYPE_INT},
    };
    return types;
}

bool is_reserved_attribute(std::string_view name) {
    return system_attributes().contains(name) || predefined_attributes().contains(name) ||
           std::find(kReservedNames.begin(), kReservedNames.end(), name) != kReservedNames.end() ||
           name.starts_with(kReservedPrefix);
}

std::string type_name(AttributeType type) {
    switch (type) {
        case enums::INDEXED_VALUE_TYPE_TEXT: return "Text";
        case enums::INDEXED_VALUE_TYPE_KEYWORD: return "Keyword";
        case enums::INDEXED_VALUE_TYPE_INT: return "Int";
        case enums::INDEXED_VALUE_TYPE_DOUBLE: return "Double";
        case enums::INDEXED_VALUE_TYPE_BOOL: return "Bool";
        case enums::INDEXED_VALUE_TYPE_DATETIME: return "Datetime";
        case enums::INDEXED_VALUE_TYPE_KEYWORD_LIST: return "KeywordList";
        default: return "Unspecified";
    }
}

SearchAttributeSchema::SearchAttributeSchema(
    std::string namespace_name, const google::protobuf::Map<std::string, std::int32_t>& custom)
    : namespace_name_(std::move(namespace_name)) {
    for (const auto& [name, type] : custom) custom_[name] = static_cast<AttributeType>(type);
}

std::optional<AttributeType> SearchAttributeSchema::settable(std::string_view name) const {
    if (const auto own = custom_.find(name); own != custom_.end()) return own->second;
    const AttributeTypes& predefined = predefined_attributes();
    if (const auto fixed = predefined.find(name); fixed != predefined.end()) return fixed->second;
    return std::nullopt;
}

absl::Status SearchAttributeSchema::check_one(const std::string& name,
                                              const common::Payload& payload) const {
    if (is_set_by_server(name)) {
        return invalid_argument(name + " attribute can't be set in SearchAttributes");
    }
    const std::optional<AttributeType> type = settable(name);
    if (!type) return absl::OkStatus();  // told before
    if (!decode_attribute(payload, *type).ok()) {
        return invalid_argument("invalid value for search attribute " + name + " of type " +
                                type_name(*type) + ": " + describe_attribute(payload));
    }
    return absl::OkStatus();
}

absl::Status SearchAttributeSchema::check(const common::SearchAttributes& attributes,
                                          const Limits& limits) const {
    if (attributes.indexed_fields().empty()) return absl::OkStatus();
    // Sorted, so that of several faults the same one is named every time.
    std::map<std::string_view, std::pair<const std::string*, const common::Payload*>> sorted;
    for (const auto& [name, payload] : attributes.indexed_fields()) {
        sorted[name] = {&name, &payload};
    }
    for (const auto& [view, entry] : sorted) {
        const std::string& name = *entry.first;
        if (is_set_by_server(name) || settable(name)) continue;
        return invalid_argument("Namespace " + namespace_name_ +
                                " has no mapping defined for search attribute " + name);
    }
    if (sorted.size() > limits.search_attribute_keys) {
        return invalid_argument("number of search attributes " + std::to_string(sorted.size()) +
                                " exceeds limit " + std::to_string(limits.search_attribute_keys));
    }
    for (const auto& [view, entry] : sorted) {
        STELE_RETURN_IF_ERROR(check_one(*entry.first, *entry.second));
    }
    for (const auto& [view, entry] : sorted) {
        const std::size_t size = entry.second->data().size();
        if (size <= limits.search_attribute_bytes) continue;
        return invalid_argument("search attribute " + *entry.first + " value size " +
                                std::to_string(size) + " exceeds size limit " +
                                std::to_string(limits.search_attribute_bytes));
    }
    const std::size_t total = attributes.ByteSizeLong();
    if (total > limits.search_attributes_bytes) {
        return invalid_argument("total size of search attributes " + std::to_string(total) +
                                " exceeds size limit " +
                                std::to_string(limits.search_attributes_bytes));
    }
    return absl::OkStatus();
}

void SearchAttributeSchema::add_types(common::SearchAttributes& attributes) const {
    for (auto& [name, payload] : *attributes.mutable_indexed_fields()) {
        if (const std::optional<AttributeType> type = settable(name)) {
            (*payload.mutable_metadata())[kTypeMetadata] = type_name(*type);
        }
    }
}

}  // namespace stele::history
