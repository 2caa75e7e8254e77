#include "visibility/attribute_names.h"

#include "temporal/api/enums/v1/common.pb.h"

#include <utility>

namespace stele::visibility {
namespace {

namespace enums = temporal::api::enums::v1;

constexpr std::string_view kPrefix = "Temporal";

std::optional<filter::Attribute> fixed_attribute(std::string_view name) {
    for (const history::AttributeTypes* types :
         {&history::system_attributes(), &history::predefined_attributes()}) {
        const auto found = types->find(name);
        if (found != types->end()) return filter::Attribute{found->first, {}, found->second};
    }
    return std::nullopt;
}

std::optional<filter::Attribute> run_attribute(const history::SearchAttributeSchema& schema,
                                               std::string_view name) {
    if (auto fixed = fixed_attribute(name)) return fixed;
    const auto own = schema.custom().find(name);
    if (own != schema.custom().end()) return filter::Attribute{own->first, {}, own->second};
    const bool prefixed = name.starts_with(kPrefix);
    const std::string_view bare = prefixed ? name.substr(kPrefix.size()) : name;
    if (bare == "ScheduleId") return fixed_attribute("WorkflowId");
    return fixed_attribute(prefixed ? std::string(bare) : std::string(kPrefix).append(name));
}

bool may_group_by(const filter::Attribute& attribute) {
    return attribute.name == "ExecutionStatus" || attribute.name == "TemporalNamespaceDivision";
}

absl::Status check_clauses(const filter::Filter& filter) {
    if (filter.group_by && !may_group_by(*filter.group_by)) {
        return invalid_argument(
            "operation is not supported: 'GROUP BY' clause is not supported for search attribute " +
            filter.group_by->alias);
    }
    for (const filter::Attribute& attribute : filter.order_by) {
        if (attribute.type != enums::INDEXED_VALUE_TYPE_TEXT) continue;
        return invalid_argument(
            "operation is not supported: unable to sort by search attribute type Text");
    }
    if (!filter.order_by.empty()) {
        return invalid_argument("operation is not supported: 'ORDER BY' clause");
    }
    return absl::OkStatus();
}

}  // namespace

filter::Resolver run_attributes(const history::SearchAttributeSchema& schema) {
    return [&schema](std::string_view name) { return run_attribute(schema, name); };
}

absl::StatusOr<filter::Filter> parse_run_filter(std::string_view text,
                                                const history::SearchAttributeSchema& schema) {
    absl::StatusOr<filter::Filter> parsed = filter::parse(text, run_attributes(schema));
    absl::Status status = parsed.status();
    if (status.ok()) status = check_clauses(*parsed);
    if (!status.ok()) return invalid_argument("invalid query: " + message_of(status));
    return parsed;
}

filter::Node run_condition(const char* name, filter::Operator op,
                           std::vector<filter::Value> values) {
    filter::Node node;
    node.condition = {*fixed_attribute(name), op, std::move(values)};
    node.condition.attribute.alias = name;
    return node;
}

}  // namespace stele::visibility
