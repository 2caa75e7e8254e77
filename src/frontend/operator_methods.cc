#include "frontend/namespace_purge.h"
#include "frontend/services.h"

#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include <algorithm>
#include <map>
#include <utility>

// What operators do: a namespace's own search attributes, and the end of a namespace.
namespace stele::frontend {
namespace {

namespace operators = temporal::api::operatorservice::v1;
namespace enums = temporal::api::enums::v1;

/// Every value of every run has a row in the index, so there is no reason for many attributes.
constexpr int kMaximumAttributes = 1000;

template <typename Response>
Reply<storage::NamespaceRow> saved(Reply<Response> reply) {
    return [reply = std::move(reply)](absl::StatusOr<storage::NamespaceRow> row) mutable {
        if (!row.ok()) return reply(std::move(row).status());
        reply(Response());
    };
}

absl::Status check_new_attributes(const operators::AddSearchAttributesRequest& request) {
    if (request.search_attributes().empty()) {
        return invalid_argument("SearchAttributes are not set on request.");
    }
    // Sorted, so that of several faults the same one is named every time.
    std::map<std::string, int> sorted;
    for (const auto& [name, type] : request.search_attributes()) sorted[name] = type;
    for (const auto& [name, type] : sorted) {
        if (history::is_reserved_attribute(name)) {
            return invalid_argument("Search attribute " + name + " is reserved by system.");
        }
        if (!enums::IndexedValueType_IsValid(type)) {
            return invalid_argument("Unknown search attribute type: " + std::to_string(type) + ".");
        }
        if (type == enums::INDEXED_VALUE_TYPE_UNSPECIFIED) {
            return invalid_argument(
                "Unable to create search attributes: cannot have more than 0 search attribute of "
                "type Unspecified.");
        }
        if (name.empty() || name.size() > kMaximumNameBytes) {
            return invalid_argument("Search attribute names have 1 to " +
                                    std::to_string(kMaximumNameBytes) + " bytes.");
        }
    }
    return absl::OkStatus();
}

void add_add_search_attributes(MethodTable& table, Services& services) {
    using Request = operators::AddSearchAttributesRequest;
    using Response = operators::AddSearchAttributesResponse;
    table.add_namespaced<Request, Response>(
        "AddSearchAttributes", [&services](RequestContext, AuthorizedNamespace space,
                                           Request request, Reply<Response> reply) {
            if (absl::Status valid = check_new_attributes(request); !valid.ok()) {
                return reply(std::move(valid));
            }
            services.namespaces.update(
                space->name,
                [request = std::move(request)](storage::NamespaceRow& row) {
                    // One that is there already stays as it is.
                    for (const auto& [name, type] : request.search_attributes()) {
                        if (row.search_attributes().contains(name)) continue;
                        (*row.mutable_search_attributes())[name] = type;
                    }
                    if (row.search_attributes_size() <= kMaximumAttributes) return absl::OkStatus();
                    return invalid_argument(
                        "Unable to create search attributes: cannot have more than " +
                        std::to_string(kMaximumAttributes) + " search attributes.");
                },
                saved<Response>(std::move(reply)));
        });
}

void add_remove_search_attributes(MethodTable& table, Services& services) {
    using Request = operators::RemoveSearchAttributesRequest;
    using Response = operators::RemoveSearchAttributesResponse;
    table.add_namespaced<Request, Response>(
        "RemoveSearchAttributes", [&services](RequestContext, AuthorizedNamespace space,
                                              Request request, Reply<Response> reply) {
            if (request.search_attributes().empty()) {
                return reply(invalid_argument("SearchAttributes are not set on request."));
            }
            services.namespaces.update(
                space->name,
                [request = std::move(request)](storage::NamespaceRow& row) {
                    for (const std::string& name : request.search_attributes()) {
                        if (row.mutable_search_attributes()->erase(name) > 0) continue;
                        if (!history::system_attributes().contains(name) &&
                            !history::predefined_attributes().contains(name)) {
                            continue;
                        }
                        return invalid_argument(
                            "Unable to remove non-custom search attributes: " + name + ".");
                    }
                    return absl::OkStatus();
                },
                saved<Response>(std::move(reply)));
        });
}

void add_list_search_attributes(MethodTable& table) {
    using Request = operators::ListSearchAttributesRequest;
    using Response = operators::ListSearchAttributesResponse;
    table.add_namespaced<Request, Response>(
        "ListSearchAttributes",
        [](RequestContext, AuthorizedNamespace space, Request, Reply<Response> reply) {
            Response response;
            for (const auto& [name, type] : space->search_attributes.custom()) {
                (*response.mutable_custom_attributes())[name] = type;
            }
            for (const auto* types :
                 {&history::system_attributes(), &history::predefined_attributes()}) {
                for (const auto& [name, type] : *types) {
                    (*response.mutable_system_attributes())[name] = type;
                }
            }
            reply(std::move(response));
        });
}

absl::StatusOr<storage::NamespaceRow> find_namespace(
    Services& services, const operators::DeleteNamespaceRequest& request) {
    if (request.namespace_().empty() && request.namespace_id().empty()) {
        return invalid_argument("Namespace not set on request.");
    }
    if (!request.namespace_().empty() && !request.namespace_id().empty()) {
        return invalid_argument("Only one of namespace name or Id should be set on request.");
    }
    return request.namespace_().empty() ? services.namespaces.row_by_id(request.namespace_id())
                                        : services.namespaces.row_by_name(request.namespace_());
}

/// A name of a deleted namespace that nobody else has: with the first letters of its id, more of
/// them if need be.
std::string deleted_name(NamespaceRegistry& namespaces, const storage::NamespaceRow& row) {
    constexpr std::size_t kFirstLetters = 5;
    for (std::size_t letters = kFirstLetters; letters < row.id().size(); ++letters) {
        std::string name = row.name() + "-deleted-" + row.id().substr(0, letters);
        if (namespaces.by_name(name) == nullptr) return name;
    }
    return row.name() + "-deleted-" + row.id();
}

void add_delete_namespace(MethodTable& table, Services& services) {
    using Request = operators::DeleteNamespaceRequest;
    using Response = operators::DeleteNamespaceResponse;
    table.add<Request, Response>("DeleteNamespace", [&services](RequestContext context,
                                                                Request request,
                                                                Reply<Response> reply) {
        const auto row = find_namespace(services, request);
        if (!row.ok()) return reply(row.status());
        const std::string name = row->name();
        const OperatorSettings settings = services.operator_settings();
        const auto& kept = settings.protected_namespaces;
        if (std::find(kept.begin(), kept.end(), name) != kept.end()) {
            return reply(failed_precondition("namespace " + name + " is protected from deletion"));
        }
        const Duration delay = request.has_namespace_delete_delay()
                                   ? from_proto(request.namespace_delete_delay())
                                   : settings.namespace_delete_delay;
        const Timestamp purge_time = add_saturating(context.now, delay);
        const std::string new_name = deleted_name(services.namespaces, *row);
        services.namespaces.update(
            name,
            [new_name, purge_time](storage::NamespaceRow& changed) {
                changed.set_name(new_name);
                changed.set_state(enums::NAMESPACE_STATE_DELETED);
                *changed.mutable_purge_time() = to_proto(purge_time);
                return absl::OkStatus();
            },
            [&services,
             reply = std::move(reply)](absl::StatusOr<storage::NamespaceRow> deleted) mutable {
                if (!deleted.ok()) return reply(std::move(deleted).status());
                services.purge.start(deleted->id());
                Response response;
                response.set_deleted_namespace(deleted->name());
                reply(std::move(response));
            });
    });
}

}  // namespace

void add_operator_methods(MethodTable& table, Services& services) {
    add_add_search_attributes(table, services);
    add_remove_search_attributes(table, services);
    add_list_search_attributes(table);
    add_delete_namespace(table, services);
}

}  // namespace stele::frontend
