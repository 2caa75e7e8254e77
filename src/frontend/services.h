#pragma once

#include "batch/batches.h"
#include "frontend/method_table.h"
#include "frontend/task_queue_configs.h"
#include "frontend/worker_registry.h"
#include "matching/matching.h"
#include "matching/nexus_tasks.h"
#include "matching/queue_settings.h"
#include "visibility/visibility.h"

#include <functional>
#include <string>
#include <vector>

// What handlers work with, and the functions that put them into the table, one per family of RPCs.
namespace stele::frontend {

class NamespacePurge;
class NexusEndpointRegistry;

/// What operators' calls depend on.
struct OperatorSettings {
    /// Namespaces that can not be deleted.
    std::vector<std::string> protected_namespaces;  // worker.protectednamespaces
    /// How long the row of a deleted namespace stays, unless its deletion says otherwise.
    Duration namespace_delete_delay{};  // frontend.deletenamespacenamespacedeletedelay
    /// The shortest time for which a namespace may ask its closed runs to be kept.
    Duration least_retention = std::chrono::hours(1);  // system.namespaceminretentionlocal
    // Nexus endpoints.
    std::size_t endpoint_name_length = 200;           // limit.endpointnamemaxlength
    std::size_t endpoint_url_length = 4 * 1024;       // limit.endpointexternalurlmaxlength
    std::size_t endpoint_description_bytes = 20'000;  // limit.endpointdescriptionmaxsize
    std::int32_t endpoint_page = 100;                 // limit.endpointlistdefaultpagesize
    std::int32_t endpoint_largest_page = 1'000;       // limit.endpointlistmaxpagesize
};

/// Everything outlives the frontend; all of it is thread safe.
struct Services {
    env::Env& env;
    shard::Engine& engine;
    matching::Matching& matching;
    matching::NexusTasks& nexus_tasks;
    NexusEndpointRegistry& nexus_endpoints;
    NamespaceRegistry& namespaces;
    TaskQueueConfigs& task_queue_configs;
    const matching::QueueSettingsSource& queue_settings;
    WorkerRegistry& workers;
    const TokenSigner& tokens;
    visibility::Visibility& visibility;
    NamespacePurge& purge;
    batch::Batches& batches;
    std::string cluster_id;
    std::function<OperatorSettings()> operator_settings;  // as they are now
};

void add_system_methods(MethodTable& table, Services& services);
void add_namespace_methods(MethodTable& table, Services& services);
void add_start_methods(MethodTable& table, Services& services);
void add_update_methods(MethodTable& table, Services& services);
void add_control_methods(MethodTable& table, Services& services);
void add_run_control_methods(MethodTable& table, Services& services);
void add_workflow_task_methods(MethodTable& table, Services& services);
void add_activity_methods(MethodTable& table, Services& services);
void add_activity_control_methods(MethodTable& table, Services& services);
void add_rule_methods(MethodTable& table, Services& services);
void add_task_queue_methods(MethodTable& table, Services& services);
void add_worker_methods(MethodTable& table, Services& services);
void add_nexus_task_methods(MethodTable& table, Services& services);
void add_nexus_endpoint_methods(MethodTable& table, Services& services);
void add_history_methods(MethodTable& table, Services& services);
void add_visibility_methods(MethodTable& table, Services& services);
void add_versioning_methods(MethodTable& table, Services& services);
void add_batch_methods(MethodTable& table, Services& services);
void add_operator_methods(MethodTable& table, Services& services);

/// Turns the outcome of an engine call into an empty response.
template <typename Response>
Reply<history::None> done(Reply<Response> reply) {
    return [reply = std::move(reply)](absl::StatusOr<history::None> outcome) mutable {
        if (!outcome.ok()) return reply(std::move(outcome).status());
        reply(Response());
    };
}

inline RunRef run_ref(const AuthorizedNamespace& space,
                      const temporal::api::common::v1::WorkflowExecution& execution) {
    return {space->id, execution.workflow_id(), execution.run_id()};
}

}  // namespace stele::frontend
