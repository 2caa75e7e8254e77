#include "frontend/services.h"

// What a client asks first: which server this is and what it can do. A capability is claimed only
// when it is built, because SDKs act on the claim.
namespace stele::frontend {
namespace {

namespace service = temporal::api::workflowservice::v1;

/// The Temporal server release whose behaviour this server follows; SDKs compare it with the
/// versions that they support.
constexpr char kCompatibleVersion[] = "1.32.1";
constexpr char kClusterName[] = "active";

void fill_capabilities(service::GetSystemInfoResponse::Capabilities* capabilities) {
    capabilities->set_signal_and_query_header(true);
    capabilities->set_internal_error_differentiation(true);
    capabilities->set_activity_failure_include_heartbeat(true);
    capabilities->set_encoded_failure_attributes(true);
    capabilities->set_upsert_memo(true);
    capabilities->set_sdk_metadata(true);
    capabilities->set_eager_workflow_start(true);
    capabilities->set_count_group_by_execution_status(true);
    capabilities->set_nexus(true);
}

}  // namespace

void add_system_methods(MethodTable& table, Services& services) {
    table.add<service::GetSystemInfoRequest, service::GetSystemInfoResponse>(
        "GetSystemInfo", [](RequestContext, service::GetSystemInfoRequest,
                            Reply<service::GetSystemInfoResponse> reply) {
            service::GetSystemInfoResponse response;
            response.set_server_version(kCompatibleVersion);
            fill_capabilities(response.mutable_capabilities());
            reply(std::move(response));
        });
    table.add<service::GetClusterInfoRequest, service::GetClusterInfoResponse>(
        "GetClusterInfo", [&services](RequestContext, service::GetClusterInfoRequest,
                                      Reply<service::GetClusterInfoResponse> reply) {
            service::GetClusterInfoResponse response;
            response.set_server_version(kCompatibleVersion);
            response.set_cluster_id(services.cluster_id);
            response.set_cluster_name(kClusterName);
            response.set_history_shard_count(kSlotCount);
            response.set_persistence_store("stele");
            response.set_visibility_store("stele");
            reply(std::move(response));
        });
}

}  // namespace stele::frontend
