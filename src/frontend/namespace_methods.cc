#include "frontend/services.h"
#include "frontend/validation.h"

#include "temporal/api/namespace/v1/message.pb.h"

// Namespaces: register, describe, list, update.
namespace stele::frontend {
namespace {

using api::namespace_::v1::BadBinaries;
using api::namespace_::v1::NamespaceInfo;
using service::DescribeNamespaceResponse;

constexpr char kClusterName[] = "active";
constexpr std::size_t kDefaultPage = 100;
constexpr std::size_t kMaximumPage = 1000;
constexpr int kMaximumBadBinaries = 10;

/// The parts that the describe, list and update responses have in common.
template <typename Response>
void fill(const storage::NamespaceRow& row, const NamespaceSettings& settings, Response& response) {
    const history::Limits& limits = settings.limits;
    NamespaceInfo& info = *response.mutable_namespace_info();
    info.set_name(row.name());
    info.set_id(row.id());
    info.set_state(static_cast<api::enums::v1::NamespaceState>(row.state()));
    info.set_description(row.description());
    info.set_owner_email(row.owner_email());
    *info.mutable_data() = row.data();
    // SDKs act on every one that is claimed.
    auto& capabilities = *info.mutable_capabilities();
    capabilities.set_workflow_pause(limits.workflow_pause);
    capabilities.set_workflow_task_completion_pagination(limits.completion_pages);
    capabilities.set_reported_problems_search_attribute(limits.reported_task_problems > 0);
    capabilities.set_eager_workflow_start(true);
    capabilities.set_sync_update(true);
    capabilities.set_async_update(true);
    capabilities.set_worker_heartbeats(settings.calls.worker_heartbeats);
    capabilities.set_worker_commands(settings.calls.worker_commands);
    capabilities.set_worker_poll_complete_on_shutdown(settings.calls.cancel_polls_on_shutdown);
    capabilities.set_poller_autoscaling(true);
    info.mutable_limits()->set_blob_size_limit_error(static_cast<std::int64_t>(limits.blob_bytes));
    info.mutable_limits()->set_memo_size_limit_error(static_cast<std::int64_t>(limits.memo_bytes));

    info.mutable_limits()->set_workflow_task_completion_size_limit_error(
        static_cast<std::int64_t>(limits.completion_pages_bytes));

    auto& config = *response.mutable_config();
    *config.mutable_workflow_execution_retention_ttl() = row.retention();
    config.set_history_archival_state(api::enums::v1::ARCHIVAL_STATE_DISABLED);
    config.set_visibility_archival_state(api::enums::v1::ARCHIVAL_STATE_DISABLED);
    config.mutable_bad_binaries()->ParseFromString(row.bad_binaries());
    *config.mutable_custom_search_attribute_aliases() = row.search_attribute_aliases();

    auto& replication = *response.mutable_replication_config();
    replication.set_active_cluster_name(kClusterName);
    replication.add_clusters()->set_cluster_name(kClusterName);
    replication.set_state(api::enums::v1::REPLICATION_STATE_NORMAL);
}

DescribeNamespaceResponse described(const storage::NamespaceRow& row, Services& services) {
    DescribeNamespaceResponse response;
    fill(row, services.namespaces.settings(row.id()), response);
    return response;
}

void add_register(MethodTable& table, Services& services) {
    using Request = service::RegisterNamespaceRequest;
    using Response = service::RegisterNamespaceResponse;
    table.add<Request, Response>(
        "RegisterNamespace", [&services](RequestContext, Request request, Reply<Response> reply) {
            if (request.namespace_().empty()) {
                return reply(invalid_argument("Namespace not set on request."));
            }
            if (request.namespace_().size() > kMaximumNameBytes) {
                return reply(invalid_argument("Namespace length exceeds limit."));
            }
            if (request.is_global_namespace()) {
                return reply(invalid_argument("Cannot register global namespace when not enabled"));
            }
            auto* retention = request.mutable_workflow_execution_retention_period();
            const Duration least = services.operator_settings().least_retention;
            if (auto status = validate_retention(*retention, least); !status.ok()) {
                return reply(std::move(status));
            }
            storage::NamespaceRow row;
            row.set_name(request.namespace_());
            row.set_state(api::enums::v1::NAMESPACE_STATE_REGISTERED);
            row.set_description(request.description());
            row.set_owner_email(request.owner_email());
            *row.mutable_data() = request.data();
            *row.mutable_retention() = *retention;
            services.namespaces.create(
                std::move(row),
                [reply = std::move(reply)](absl::StatusOr<storage::NamespaceRow> made) mutable {
                    if (!made.ok()) return reply(std::move(made).status());
                    reply(Response());
                });
        });
}

void add_describe(MethodTable& table, Services& services) {
    using Request = service::DescribeNamespaceRequest;
    table.add<Request, DescribeNamespaceResponse>(
        "DescribeNamespace",
        [&services](RequestContext, Request request, Reply<DescribeNamespaceResponse> reply) {
            if (request.id().empty() && request.namespace_().empty()) {
                return reply(invalid_argument("Namespace not set on request."));
            }
            if (request.namespace_().size() > kMaximumNameBytes) {
                return reply(invalid_argument("Namespace length exceeds limit."));
            }
            auto row = request.id().empty() ? services.namespaces.row_by_name(request.namespace_())
                                            : services.namespaces.row_by_id(request.id());
            if (!row.ok()) return reply(std::move(row).status());
            reply(described(*row, services));
        });
}

void add_list(MethodTable& table, Services& services) {
    using Request = service::ListNamespacesRequest;
    using Response = service::ListNamespacesResponse;
    table.add<Request, Response>(
        "ListNamespaces", [&services](RequestContext, Request request, Reply<Response> reply) {
            wire::ListToken token;
            if (!request.next_page_token().empty()) {
                auto opened = services.tokens.open_list(request.next_page_token());
                if (!opened.ok()) return reply(std::move(opened).status());
                token = *std::move(opened);
            }
            const std::size_t size =
                request.page_size() <= 0
                    ? kDefaultPage
                    : std::min(static_cast<std::size_t>(request.page_size()), kMaximumPage);
            const auto rows = services.namespaces.list(token.after(), size);
            Response response;
            for (const storage::NamespaceRow& row : rows) {
                *response.add_namespaces() = described(row, services);
            }
            if (rows.size() == size) {
                token.set_after(rows.back().id());
                response.set_next_page_token(services.tokens.sign(token));
            }
            reply(std::move(response));
        });
}

absl::Status change_bad_binaries(storage::NamespaceRow& row, const BadBinaries& added,
                                 const std::string& removed, Timestamp now) {
    BadBinaries binaries;
    binaries.ParseFromString(row.bad_binaries());
    for (const auto& [checksum, info] : added.binaries()) {
        auto& place = (*binaries.mutable_binaries())[checksum];
        place = info;
        *place.mutable_create_time() = to_proto(now);
    }
    if (binaries.binaries_size() > kMaximumBadBinaries) {
        return invalid_argument("Total resetBinaries cannot exceed the max limit: " +
                                std::to_string(kMaximumBadBinaries));
    }
    if (!removed.empty() && binaries.mutable_binaries()->erase(removed) == 0) {
        return invalid_argument("Bad binary checksum " + removed + " doesn't exists.");
    }
    row.set_bad_binaries(binaries.SerializeAsString());
    return absl::OkStatus();
}

absl::Status change(storage::NamespaceRow& row, service::UpdateNamespaceRequest request,
                    Duration least_retention, Timestamp now) {
    const auto& info = request.update_info();
    if (!info.description().empty()) row.set_description(info.description());
    if (!info.owner_email().empty()) row.set_owner_email(info.owner_email());
    for (const auto& [key, value] : info.data()) (*row.mutable_data())[key] = value;
    if (info.state() != api::enums::v1::NAMESPACE_STATE_UNSPECIFIED &&
        info.state() != row.state()) {
        const bool deprecates = row.state() == api::enums::v1::NAMESPACE_STATE_REGISTERED &&
                                info.state() == api::enums::v1::NAMESPACE_STATE_DEPRECATED;
        if (!deprecates) return invalid_argument("Invalid namespace state update.");
        row.set_state(info.state());
    }
    if (request.config().has_workflow_execution_retention_ttl()) {
        auto* retention = request.mutable_config()->mutable_workflow_execution_retention_ttl();
        STELE_RETURN_IF_ERROR(validate_retention(*retention, least_retention));
        *row.mutable_retention() = *retention;
    }
    return change_bad_binaries(row, request.config().bad_binaries(), request.delete_bad_binary(),
                               now);
}

void add_update(MethodTable& table, Services& services) {
    using Request = service::UpdateNamespaceRequest;
    using Response = service::UpdateNamespaceResponse;
    // Through the resolver, as every other call on a namespace that exists.
    table.add_namespaced<Request, Response>(
        "UpdateNamespace", [&services](RequestContext context, AuthorizedNamespace space,
                                       Request request, Reply<Response> reply) {
            if (request.promote_namespace()) {
                return reply(invalid_argument("Cannot promote a namespace: there is one cluster."));
            }
            services.namespaces.update(
                space->name,
                [request = std::move(request),
                 least_retention = services.operator_settings().least_retention,
                 now = context.now](storage::NamespaceRow& row) {
                    return change(row, request, least_retention, now);
                },
                [&services,
                 reply = std::move(reply)](absl::StatusOr<storage::NamespaceRow> row) mutable {
                    if (!row.ok()) return reply(std::move(row).status());
                    Response response;
                    fill(*row, services.namespaces.settings(row->id()), response);
                    reply(std::move(response));
                });
        });
    using DeprecateRequest = service::DeprecateNamespaceRequest;
    using DeprecateResponse = service::DeprecateNamespaceResponse;
    table.add_namespaced<DeprecateRequest, DeprecateResponse>(
        "DeprecateNamespace", [&services](RequestContext, AuthorizedNamespace space,
                                          DeprecateRequest, Reply<DeprecateResponse> reply) {
            services.namespaces.update(
                space->name,
                [](storage::NamespaceRow& row) {
                    row.set_state(api::enums::v1::NAMESPACE_STATE_DEPRECATED);
                    return absl::OkStatus();
                },
                [reply = std::move(reply)](absl::StatusOr<storage::NamespaceRow> row) mutable {
                    if (!row.ok()) return reply(std::move(row).status());
                    reply(DeprecateResponse());
                });
        });
}

}  // namespace

void add_namespace_methods(MethodTable& table, Services& services) {
    add_register(table, services);
    add_describe(table, services);
    add_list(table, services);
    add_update(table, services);
}

}  // namespace stele::frontend
