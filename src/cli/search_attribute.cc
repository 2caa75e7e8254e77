#include "cli/operator.h"

#include "temporal/api/enums/v1/common.pb.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

// operator search-attribute: create, list and remove.
namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace operators = temporal::api::operatorservice::v1;

constexpr char kTypePrefix[] = "INDEXED_VALUE_TYPE_";
constexpr char kCreateExamples[] =
    R"(  stele operator search-attribute create --name Customer --type Keyword
  stele operator search-attribute create --name Customer --type Keyword --name Total --type Double)";
constexpr char kListExamples[] = R"(  stele operator search-attribute list -n orders)";
constexpr char kRemoveExamples[] = R"(  stele operator search-attribute remove --name Customer -y)";

struct AttributeFlags {
    std::vector<std::string> names;
    std::vector<std::string> types;
    bool yes = false;
};

std::string type_text(enums::IndexedValueType type) {
    return camel_case(enums::IndexedValueType_Name(type), kTypePrefix);
}

absl::StatusOr<enums::IndexedValueType> read_type(const std::string& text) {
    std::string known;
    for (int i = enums::INDEXED_VALUE_TYPE_UNSPECIFIED + 1; i <= enums::IndexedValueType_MAX; ++i) {
        const auto type = static_cast<enums::IndexedValueType>(i);
        if (type_text(type) == text) return type;
        known += (known.empty() ? "" : ", ") + type_text(type);
    }
    return invalid_argument(
        fmt::format("\"{}\" is no type of search attributes; those are {}", text, known));
}

absl::StatusOr<operators::ListSearchAttributesResponse> read_all(Session& session) {
    operators::ListSearchAttributesRequest request;
    request.set_namespace_(session.namespace_name());
    operators::ListSearchAttributesResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to list search attributes",
                session.call_operator_service("ListSearchAttributes", request, response)));
    return response;
}

absl::Status run_create(Session& session, const AttributeFlags& flags) {
    if (flags.names.size() != flags.types.size()) {
        return invalid_argument(fmt::format("{} of --name and {} of --type: each needs the other",
                                            flags.names.size(), flags.types.size()));
    }
    STELE_ASSIGN_OR_RETURN(const auto existing, read_all(session));
    operators::AddSearchAttributesRequest request;
    request.set_namespace_(session.namespace_name());
    for (std::size_t i = 0; i < flags.names.size(); ++i) {
        const std::string& name = flags.names[i];
        STELE_ASSIGN_OR_RETURN(const enums::IndexedValueType type, read_type(flags.types[i]));
        const auto found = existing.custom_attributes().find(name);
        if (found != existing.custom_attributes().end()) {
            if (found->second == type) continue;
            return invalid_argument(
                fmt::format("search attribute {} already exists and has different type {}", name,
                            type_text(found->second)));
        }
        (*request.mutable_search_attributes())[name] = type;
    }
    if (request.search_attributes().empty()) {
        session.printer().line("Search attributes already exist");
        return absl::OkStatus();
    }
    operators::AddSearchAttributesResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to add search attributes",
                session.call_operator_service("AddSearchAttributes", request, response)));
    session.printer().line("Search attributes have been added");
    return absl::OkStatus();
}

absl::Status run_list(Session& session) {
    STELE_ASSIGN_OR_RETURN(const auto response, read_all(session));
    STELE_ASSIGN_OR_RETURN(const Json json, message_to_json(response, session.payload_style()));
    session.printer().json(json);
    std::map<std::string, enums::IndexedValueType> sorted;
    for (const auto* attributes : {&response.system_attributes(), &response.custom_attributes()}) {
        for (const auto& [name, type] : *attributes) sorted[name] = type;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, type] : sorted) rows.push_back({name, type_text(type)});
    session.printer().table({"Name", "Type"}, rows);
    return absl::OkStatus();
}

absl::Status run_remove(Session& session, const AttributeFlags& flags) {
    std::string names;
    for (const std::string& name : flags.names) names += (names.empty() ? "" : ", ") + name;
    STELE_RETURN_IF_ERROR(
        confirm(flags.yes, fmt::format("remove the search attributes {}", names)));
    STELE_ASSIGN_OR_RETURN(const auto existing, read_all(session));
    operators::RemoveSearchAttributesRequest request;
    request.set_namespace_(session.namespace_name());
    for (const std::string& name : flags.names) {
        if (!existing.custom_attributes().contains(name) &&
            !existing.system_attributes().contains(name)) {
            return invalid_argument(fmt::format("search attribute {} doesn't exist", name));
        }
        request.add_search_attributes(name);
    }
    operators::RemoveSearchAttributesResponse response;
    STELE_RETURN_IF_ERROR(
        explain("unable to remove search attributes",
                session.call_operator_service("RemoveSearchAttributes", request, response)));
    session.printer().line("Search attributes have been removed");
    return absl::OkStatus();
}

}  // namespace

void add_search_attribute_commands(CommandSet& commands, CLI::App& parent) {
    CLI::App& group = commands.group(parent, "search-attribute", "Manage search attributes");
    const auto flags = std::make_shared<AttributeFlags>();
    CLI::App& create =
        commands.command(group, "create", "Add search attributes to a namespace", kCreateExamples,
                         [flags](Session& session) { return run_create(session, *flags); });
    add_repeatable(create, "--name", flags->names, "Name; repeatable")->required();
    add_repeatable(create, "--type", flags->types,
                   "Text, Keyword, Int, Double, Bool, Datetime or KeywordList; one for each name")
        ->required()
        ->type_name("TYPE");
    commands.command(group, "list", "List the search attributes of a namespace", kListExamples,
                     run_list);
    CLI::App& remove = commands.command(
        group, "remove", "Remove search attributes from a namespace", kRemoveExamples,
        [flags](Session& session) { return run_remove(session, *flags); });
    add_repeatable(remove, "--name", flags->names, "Name; repeatable")->required();
    remove.add_flag("-y,--yes", flags->yes, "Do not ask");
}

}  // namespace stele::cli
