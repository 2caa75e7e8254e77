#include "frontend/nexus_endpoints.h"
#include "frontend/services.h"
#include "frontend/validation.h"

#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

// Nexus endpoints as operators make, change and read them.
namespace stele::frontend {
namespace {

namespace operators = temporal::api::operatorservice::v1;
using api::nexus::v1::Endpoint;
using api::nexus::v1::EndpointSpec;
using api::nexus::v1::EndpointTarget;

constexpr char kNamePattern[] = R"(^[a-zA-Z][a-zA-Z0-9\\-]*[a-zA-Z0-9]$)";

/// What is wrong with a request; all of it is told at once.
class Issues {
public:
    void add(std::string issue) {
        if (!text_.empty()) text_ += ", ";
        text_ += std::move(issue);
    }
    absl::Status status() const {
        if (text_.empty()) return absl::OkStatus();
        return make_error(absl::StatusCode::kInvalidArgument, text_);
    }

private:
    std::string text_;
};

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_letter_or_digit(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool matches_pattern(const std::string& name) {
    return name.size() >= 2 && is_letter(name.front()) && is_letter_or_digit(name.back()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

void check_name(const std::string& name, const OperatorSettings& settings, Issues& issues) {
    if (name.empty()) return issues.add("endpoint name not set");
    if (name.size() > settings.endpoint_name_length) {
        issues.add(
            fmt::format("endpoint name exceeds length limit of {}", settings.endpoint_name_length));
    }
    if (!matches_pattern(name)) {
        issues.add(fmt::format("endpoint name must match the regex: \"{}\"", kNamePattern));
    }
}

/// The scheme of an address, or why it is none.
absl::StatusOr<std::string> scheme_of(const std::string& url) {
    const auto broken = [&](const char* why) {
        return invalid_argument(fmt::format("parse \"{}\": {}", url, why));
    };
    if (std::any_of(url.begin(), url.end(), [](char c) { return c < ' ' || c == '\x7f'; })) {
        return broken("net/url: invalid control character in URL");
    }
    const std::size_t colon = url.find(':');
    if (colon == 0) return broken("missing protocol scheme");
    const std::string scheme = url.substr(0, std::min(colon, url.size()));
    const bool named =
        is_letter(scheme.front()) && std::all_of(scheme.begin(), scheme.end(), [](char c) {
            return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.';
        });
    if (colon != std::string::npos && named) return scheme;
    if (colon < url.find('/')) return broken("first path segment in URL cannot contain colon");
    return std::string();
}

void check_url(const std::string& url, const OperatorSettings& settings, Issues& issues) {
    if (url.empty()) return issues.add("empty target URL");
    if (url.size() > settings.endpoint_url_length) {
        return issues.add(
            fmt::format("target URL length exceeds limit of {}", settings.endpoint_url_length));
    }
    const auto scheme = scheme_of(url);
    if (!scheme.ok()) return issues.add("invalid target URL: " + message_of(scheme.status()));
    if (*scheme != "http" && *scheme != "https") {
        issues.add(
            fmt::format("invalid target URL scheme: \"{}\", expected http or https", *scheme));
    }
}

void check_task_queue(const std::string& name, Issues& issues) {
    absl::Status status;
    if (name.empty()) {
        status = invalid_argument("taskQueue is not set");
    } else {
        api::taskqueue::v1::TaskQueue queue;
        queue.set_name(name);
        status = history::validate_task_queue(true, queue, kMaximumNameBytes);
    }
    if (!status.ok()) {
        issues.add(fmt::format("invalid target task queue: \"{}\"", message_of(status)));
    }
}

/// The row that a specification asks for.
absl::StatusOr<NexusEndpointRow> row_of(Services& services, const EndpointSpec& spec) {
    const OperatorSettings settings = services.operator_settings();
    Issues issues;
    check_name(spec.name(), settings, issues);
    NexusEndpointRow row;
    row.set_name(spec.name());
    if (spec.has_description()) *row.mutable_description() = spec.description();
    switch (spec.target().variant_case()) {
        case EndpointTarget::kWorker: {
            const auto& worker = spec.target().worker();
            if (worker.namespace_().empty()) {
                issues.add("target namespace not set");
            } else {
                const shard::NamespacePtr space = services.namespaces.by_name(worker.namespace_());
                if (space == nullptr) {
                    return failed_precondition(
                        fmt::format("could not verify namespace referenced by target exists: {}",
                                    message_of(namespace_not_found(worker.namespace_()))));
                }
                row.set_namespace_id(space->id);
            }
            check_task_queue(worker.task_queue(), issues);
            row.set_task_queue(worker.task_queue());
            break;
        }
        case EndpointTarget::kExternal:
            check_url(spec.target().external().url(), settings, issues);
            row.set_url(spec.target().external().url());
            break;
        default: issues.add("empty target variant"); return issues.status();
    }
    if (spec.description().ByteSizeLong() > settings.endpoint_description_bytes) {
        issues.add(fmt::format("description size exceeds limit of {}",
                               settings.endpoint_description_bytes));
    }
    STELE_RETURN_IF_ERROR(issues.status());
    return row;
}

void check_id(const std::string& id, Issues& issues) {
    if (id.empty()) {
        issues.add("endpoint ID not set");
    } else if (!is_run_id(id)) {
        issues.add(fmt::format("malformed endpoint ID: \"invalid UUID length: {}\"", id.size()));
    }
}

Endpoint endpoint_of(Services& services, const NexusEndpointRow& row) {
    Endpoint endpoint;
    endpoint.set_id(row.id());
    endpoint.set_version(row.version());
    EndpointSpec& spec = *endpoint.mutable_spec();
    spec.set_name(row.name());
    if (row.has_description()) *spec.mutable_description() = row.description();
    if (row.url().empty()) {
        const shard::NamespacePtr space = services.namespaces.by_id(row.namespace_id());
        auto& worker = *spec.mutable_target()->mutable_worker();
        if (space != nullptr) worker.set_namespace_(space->name);
        worker.set_task_queue(row.task_queue());
    } else {
        spec.mutable_target()->mutable_external()->set_url(row.url());
    }
    *endpoint.mutable_created_time() = row.created();
    if (row.has_modified()) *endpoint.mutable_last_modified_time() = row.modified();
    endpoint.set_url_prefix("/nexus/endpoints/" + row.id() + "/services");
    return endpoint;
}

template <typename Response>
Reply<NexusEndpointRow> with_endpoint(Services& services, Reply<Response> reply) {
    return [&services, reply = std::move(reply)](absl::StatusOr<NexusEndpointRow> row) mutable {
        if (!row.ok()) return reply(std::move(row).status());
        Response response;
        *response.mutable_endpoint() = endpoint_of(services, *row);
        reply(std::move(response));
    };
}

void add_changes(MethodTable& table, Services& services) {
    using CreateResponse = operators::CreateNexusEndpointResponse;
    table.add<operators::CreateNexusEndpointRequest, CreateResponse>(
        "CreateNexusEndpoint",
        [&services](RequestContext, auto request, Reply<CreateResponse> reply) {
            auto row = row_of(services, request.spec());
            if (!row.ok()) return reply(std::move(row).status());
            services.nexus_endpoints.create(*std::move(row),
                                            with_endpoint(services, std::move(reply)));
        });
    using UpdateResponse = operators::UpdateNexusEndpointResponse;
    table.add<operators::UpdateNexusEndpointRequest, UpdateResponse>(
        "UpdateNexusEndpoint",
        [&services](RequestContext, auto request, Reply<UpdateResponse> reply) {
            auto row = row_of(services, request.spec());
            if (!row.ok()) return reply(std::move(row).status());
            row->set_id(request.id());
            row->set_version(request.version());
            services.nexus_endpoints.update(*std::move(row),
                                            with_endpoint(services, std::move(reply)));
        });
    using DeleteResponse = operators::DeleteNexusEndpointResponse;
    table.add<operators::DeleteNexusEndpointRequest, DeleteResponse>(
        "DeleteNexusEndpoint",
        [&services](RequestContext, auto request, Reply<DeleteResponse> reply) {
            Issues issues;
            check_id(request.id(), issues);
            if (request.version() <= 0) issues.add("endpoint version is non-positive");
            if (absl::Status status = issues.status(); !status.ok()) {
                return reply(std::move(status));
            }
            services.nexus_endpoints.erase(
                request.id(),
                [reply = std::move(reply)](absl::StatusOr<NexusEndpointRow> row) mutable {
                    if (!row.ok()) return reply(std::move(row).status());
                    reply(DeleteResponse());
                });
        });
}

void add_get(MethodTable& table, Services& services) {
    using Response = operators::GetNexusEndpointResponse;
    table.add<operators::GetNexusEndpointRequest, Response>(
        "GetNexusEndpoint", [&services](RequestContext, auto request, Reply<Response> reply) {
            Issues issues;
            check_id(request.id(), issues);
            if (absl::Status status = issues.status(); !status.ok()) {
                return reply(std::move(status));
            }
            auto row = services.nexus_endpoints.by_id(request.id());
            if (!row) {
                return reply(not_found("Nexus endpoint with ID `" + request.id() + "` not found"));
            }
            with_endpoint(services, std::move(reply))(*std::move(row));
        });
}

void list(Services& services, const operators::ListNexusEndpointsRequest& request,
          Reply<operators::ListNexusEndpointsResponse> reply) {
    operators::ListNexusEndpointsResponse response;
    if (!request.name().empty()) {
        if (const auto row = services.nexus_endpoints.by_name(request.name())) {
            *response.add_endpoints() = endpoint_of(services, *row);
        }
        return reply(std::move(response));
    }
    const OperatorSettings settings = services.operator_settings();
    if (request.page_size() < 0) return reply(invalid_argument("page_size is negative"));
    if (request.page_size() > settings.endpoint_largest_page) {
        return reply(invalid_argument(
            fmt::format("page_size exceeds limit of {}", settings.endpoint_largest_page)));
    }
    std::string after;
    if (!request.next_page_token().empty()) {
        auto token = services.tokens.open_list(request.next_page_token());
        if (!token.ok()) return reply(std::move(token).status());
        after = token->after();
    }
    const auto page = static_cast<std::size_t>(request.page_size() == 0 ? settings.endpoint_page
                                                                        : request.page_size());
    const auto rows = services.nexus_endpoints.list(after, page + 1);
    for (std::size_t i = 0; i < std::min(page, rows.size()); ++i) {
        *response.add_endpoints() = endpoint_of(services, rows[i]);
    }
    if (rows.size() > page) {
        wire::ListToken token;
        token.set_after(rows[page - 1].id());
        response.set_next_page_token(services.tokens.sign(token));
    }
    reply(std::move(response));
}

}  // namespace

void add_nexus_endpoint_methods(MethodTable& table, Services& services) {
    add_changes(table, services);
    add_get(table, services);
    table.add<operators::ListNexusEndpointsRequest, operators::ListNexusEndpointsResponse>(
        "ListNexusEndpoints", [&services](RequestContext, auto request, auto reply) {
            list(services, request, std::move(reply));
        });
}

}  // namespace stele::frontend
