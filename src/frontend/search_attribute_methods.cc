#include "frontend/search_attributes.h"
#include "frontend/services.h"

#include <fmt/format.h>

#include "temporal/api/operatorservice/v1/request_response.pb.h"

// Custom search attributes of a namespace: add, list. They are part of the namespace's row.
namespace stele::frontend {
namespace {

namespace operators = temporal::api::operatorservice::v1;
using Types = google::protobuf::Map<std::string, temporal::api::enums::v1::IndexedValueType>;

absl::Status validate_new(const Types& attributes) {
    if (attributes.empty()) return invalid_argument("SearchAttributes are not set on request.");
    for (const auto& [name, type] : attributes) {
        if (is_reserved_search_attribute(name)) {
            return invalid_argument(
                fmt::format("Search attribute {} is reserved by system.", name));
        }
        if (!temporal::api::enums::v1::IndexedValueType_IsValid(type)) {
            return invalid_argument(fmt::format("Unknown search attribute type: {}.",
                                                static_cast<int>(type)));
        }
    }
    return absl::OkStatus();
}

void add_add(MethodTable& table, Services& services) {
    using Request = operators::AddSearchAttributesRequest;
    using Response = operators::AddSearchAttributesResponse;
    table.add_namespaced<Request, Response>(
        "AddSearchAttributes", [&services](RequestContext, AuthorizedNamespace space,
                                           Request request, Reply<Response> reply) {
            if (auto status = validate_new(request.search_attributes()); !status.ok()) {
                return reply(std::move(status));
            }
            services.namespaces.update(
                space->name,
                [request = std::move(request)](storage::NamespaceRow& row) {
                    for (const auto& [name, type] : request.search_attributes()) {
                        (*row.mutable_search_attributes())[name] = type;
                    }
                    return absl::OkStatus();
                },
                [reply = std::move(reply)](absl::StatusOr<storage::NamespaceRow> row) mutable {
                    if (!row.ok()) return reply(std::move(row).status());
                    reply(Response());
                });
        });
}

void add_list(MethodTable& table, Services& services) {
    using Request = operators::ListSearchAttributesRequest;
    using Response = operators::ListSearchAttributesResponse;
    table.add_namespaced<Request, Response>(
        "ListSearchAttributes", [&services](RequestContext, AuthorizedNamespace space, Request,
                                            Reply<Response> reply) {
            auto row = services.namespaces.row_by_id(space->id);
            if (!row.ok()) return reply(std::move(row).status());
            Response response;
            for (const auto& [name, type] : row->search_attributes()) {
                (*response.mutable_custom_attributes())[name] =
                    static_cast<temporal::api::enums::v1::IndexedValueType>(type);
            }
            reply(std::move(response));
        });
}

}  // namespace

void add_search_attribute_methods(MethodTable& table, Services& services) {
    add_add(table, services);
    add_list(table, services);
}

}  // namespace stele::frontend
