#include "frontend/poll_responses.h"
#include "frontend/services.h"

#include "visibility/attribute_names.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

// Lists and counts of runs.
namespace stele::frontend {
namespace {

namespace filter = visibility::filter;
namespace enums = api::enums::v1;

constexpr std::int64_t kMaximumPage = 1000;

std::int64_t page_size(std::int32_t requested) {
    return requested <= 0 ? kMaximumPage : std::min<std::int64_t>(requested, kMaximumPage);
}

wire::RunListToken token_of(const std::string& namespace_id, const visibility::PageKey& key) {
    wire::RunListToken token;
    token.set_namespace_id(namespace_id);
    token.set_order_time(key.order_time);
    token.set_start_time(key.start_time);
    token.set_run_id(key.run_id);
    return token;
}

absl::StatusOr<std::optional<visibility::PageKey>> open_page(const Services& services,
                                                             const AuthorizedNamespace& space,
                                                             const std::string& bytes) {
    if (bytes.empty()) return std::optional<visibility::PageKey>();
    STELE_ASSIGN_OR_RETURN(const wire::RunListToken token, services.tokens.open_run_list(bytes));
    if (token.namespace_id() != space->id) return invalid_argument("Invalid NextPageToken.");
    return std::optional(
        visibility::PageKey{token.order_time(), token.start_time(), token.run_id()});
}

/// Answers with a page of runs. All responses of this kind have the same fields.
template <typename Response>
void list(Services& services, const AuthorizedNamespace& space, filter::Filter filter,
          std::int32_t size, const std::string& token, Reply<Spliced<Response>> reply) {
    visibility::ListQuery query;
    query.namespace_id = space->id;
    query.filter = std::move(filter);
    query.page_size = page_size(size);
    auto after = open_page(services, space, token);
    if (!after.ok()) return reply(std::move(after).status());
    query.after = *std::move(after);
    services.visibility.list(
        std::move(query), [&services, id = space->id, reply = std::move(reply)](
                              absl::StatusOr<visibility::ListPage> page) mutable {
            if (!page.ok()) return reply(std::move(page).status());
            Spliced<Response> response;
            for (const std::string& run : page->runs) {
                append_field(response.raw, Response::kExecutionsFieldNumber, run);
            }
            if (page->next) {
                response.message.set_next_page_token(
                    services.tokens.sign(token_of(id, *page->next)));
            }
            reply(std::move(response));
        });
}

template <typename Request, typename Response>
void add_list(MethodTable& table, Services& services, const std::string& method) {
    table.add_namespaced<Request, Spliced<Response>>(
        method, [&services](RequestContext, AuthorizedNamespace space, Request request,
                            Reply<Spliced<Response>> reply) {
            auto parsed = visibility::parse_run_filter(request.query(), space->search_attributes);
            if (!parsed.ok()) return reply(std::move(parsed).status());
            list<Response>(services, space, *std::move(parsed), request.page_size(),
                           request.next_page_token(), std::move(reply));
        });
}

// ---- The older calls, whose filters are fields ---------------------------------------------------

filter::Node status_is(filter::Operator op, enums::WorkflowExecutionStatus status) {
    return visibility::run_condition("ExecutionStatus", op, {std::int64_t{status}});
}

absl::Status add_times(const api::filter::v1::StartTimeFilter& times, const char* attribute,
                       std::vector<filter::Node>& conditions) {
    const auto is_set = [](bool has, const google::protobuf::Timestamp& time) {
        return has && (time.seconds() != 0 || time.nanos() != 0);
    };
    const bool has_earliest = is_set(times.has_earliest_time(), times.earliest_time());
    const bool has_latest = is_set(times.has_latest_time(), times.latest_time());
    const Timestamp earliest = from_proto(times.earliest_time());
    const Timestamp latest = from_proto(times.latest_time());
    if (has_earliest && has_latest && earliest > latest) {
        return invalid_argument(
            "EarliestTime in StartTimeFilter should not be larger than LatestTime.");
    }
    if (has_earliest) {
        conditions.push_back(
            visibility::run_condition(attribute, filter::Operator::kGreaterEqual, {earliest}));
    }
    if (has_latest) {
        conditions.push_back(
            visibility::run_condition(attribute, filter::Operator::kLessEqual, {latest}));
    }
    return absl::OkStatus();
}

template <typename Request>
void add_names(const Request& request, std::vector<filter::Node>& conditions) {
    if (request.has_execution_filter()) {
        conditions.push_back(visibility::run_condition("WorkflowId", filter::Operator::kEqual,
                                                       {request.execution_filter().workflow_id()}));
    } else if (request.has_type_filter()) {
        conditions.push_back(visibility::run_condition("WorkflowType", filter::Operator::kEqual,
                                                       {request.type_filter().name()}));
    }
}

filter::Filter all_of(std::vector<filter::Node> conditions) {
    filter::Filter result;
    result.where = filter::joined(filter::Node::Kind::kAnd, std::move(conditions));
    return result;
}

void add_list_open(MethodTable& table, Services& services) {
    using Request = service::ListOpenWorkflowExecutionsRequest;
    using Response = service::ListOpenWorkflowExecutionsResponse;
    table.add_namespaced<Request, Spliced<Response>>(
        "ListOpenWorkflowExecutions", [&services](RequestContext, AuthorizedNamespace space,
                                                  Request request, Reply<Spliced<Response>> reply) {
            std::vector<filter::Node> conditions = {
                status_is(filter::Operator::kEqual, enums::WORKFLOW_EXECUTION_STATUS_RUNNING)};
            absl::Status times = add_times(request.start_time_filter(), "StartTime", conditions);
            if (!times.ok()) return reply(std::move(times));
            add_names(request, conditions);
            list<Response>(services, space, all_of(std::move(conditions)),
                           request.maximum_page_size(), request.next_page_token(),
                           std::move(reply));
        });
}

void add_list_closed(MethodTable& table, Services& services) {
    using Request = service::ListClosedWorkflowExecutionsRequest;
    using Response = service::ListClosedWorkflowExecutionsResponse;
    table.add_namespaced<Request, Spliced<Response>>(
        "ListClosedWorkflowExecutions",
        [&services](RequestContext, AuthorizedNamespace space, Request request,
                    Reply<Spliced<Response>> reply) {
            std::vector<filter::Node> conditions = {
                status_is(filter::Operator::kNotEqual, enums::WORKFLOW_EXECUTION_STATUS_RUNNING)};
            absl::Status times = add_times(request.start_time_filter(), "CloseTime", conditions);
            if (!times.ok()) return reply(std::move(times));
            add_names(request, conditions);
            if (request.has_status_filter()) {
                const auto status = request.status_filter().status();
                if (status == enums::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED ||
                    status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) {
                    return reply(invalid_argument(
                        "StatusFilter must be specified and must be not Running."));
                }
                conditions.push_back(status_is(filter::Operator::kEqual, status));
            }
            list<Response>(services, space, all_of(std::move(conditions)),
                           request.maximum_page_size(), request.next_page_token(),
                           std::move(reply));
        });
}

// ---- Counts --------------------------------------------------------------------------------------

api::common::v1::Payload keyword(const std::string& value) {
    api::common::v1::Payload payload;
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    (*payload.mutable_metadata())["type"] = history::type_name(enums::INDEXED_VALUE_TYPE_KEYWORD);
    payload.set_data(
        nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return payload;
}

void add_count(MethodTable& table, Services& services) {
    using Request = service::CountWorkflowExecutionsRequest;
    using Response = service::CountWorkflowExecutionsResponse;
    table.add_namespaced<Request, Response>(
        "CountWorkflowExecutions", [&services](RequestContext, AuthorizedNamespace space,
                                               Request request, Reply<Response> reply) {
            auto parsed = visibility::parse_run_filter(request.query(), space->search_attributes);
            if (!parsed.ok()) return reply(std::move(parsed).status());
            services.visibility.count(
                {space->id, *std::move(parsed)},
                [reply =
                     std::move(reply)](absl::StatusOr<visibility::CountResult> counted) mutable {
                    if (!counted.ok()) return reply(std::move(counted).status());
                    Response response;
                    response.set_count(counted->count);
                    for (const visibility::CountResult::Group& group : counted->groups) {
                        auto& added = *response.add_groups();
                        added.set_count(group.count);
                        *added.add_group_values() = keyword(group.value);
                    }
                    reply(std::move(response));
                });
        });
}

void add_get_search_attributes(MethodTable& table) {
    using Request = service::GetSearchAttributesRequest;
    using Response = service::GetSearchAttributesResponse;
    table.add<Request, Response>(
        "GetSearchAttributes", [](RequestContext, Request, Reply<Response> reply) {
            // It names no namespace, so it can only tell what all of them have.
            Response response;
            for (const auto* types :
                 {&history::system_attributes(), &history::predefined_attributes()}) {
                for (const auto& [name, type] : *types) (*response.mutable_keys())[name] = type;
            }
            reply(std::move(response));
        });
}

}  // namespace

void add_visibility_methods(MethodTable& table, Services& services) {
    add_list<service::ListWorkflowExecutionsRequest, service::ListWorkflowExecutionsResponse>(
        table, services, "ListWorkflowExecutions");
    add_list<service::ScanWorkflowExecutionsRequest, service::ScanWorkflowExecutionsResponse>(
        table, services, "ScanWorkflowExecutions");
    add_list_open(table, services);
    add_list_closed(table, services);
    add_count(table, services);
    add_get_search_attributes(table);
}

}  // namespace stele::frontend
