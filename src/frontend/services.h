#pragma once

#include "frontend/method_table.h"
#include "matching/matching.h"

#include <string>

// What handlers work with, and the functions that put them into the table, one per family of RPCs.
namespace stele::frontend {

/// Everything outlives the frontend; all of it is thread safe.
struct Services {
    env::Env& env;
    shard::Engine& engine;
    matching::Matching& matching;
    NamespaceRegistry& namespaces;
    const TokenSigner& tokens;
    std::string cluster_id;
};

void add_system_methods(MethodTable& table, Services& services);
void add_namespace_methods(MethodTable& table, Services& services);
void add_search_attribute_methods(MethodTable& table, Services& services);
void add_start_methods(MethodTable& table, Services& services);
void add_control_methods(MethodTable& table, Services& services);
void add_run_control_methods(MethodTable& table, Services& services);
void add_workflow_task_methods(MethodTable& table, Services& services);
void add_activity_methods(MethodTable& table, Services& services);
void add_activity_control_methods(MethodTable& table, Services& services);
void add_rule_methods(MethodTable& table, Services& services);
void add_history_methods(MethodTable& table, Services& services);

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
