#include "frontend/frontend.h"

#include <utility>

namespace stele::frontend {

Frontend::Frontend(Services services)
    : services_(std::move(services)),
      resolver_(services_.namespaces, services_.tokens, authorizer_),
      table_(services_.env, resolver_, services_.namespaces) {
    table_.add_service(kWorkflowService);
    table_.add_service(kOperatorService);
    add_system_methods(table_, services_);
    add_namespace_methods(table_, services_);
    add_start_methods(table_, services_);
    add_update_methods(table_, services_);
    add_control_methods(table_, services_);
    add_run_control_methods(table_, services_);
    add_workflow_task_methods(table_, services_);
    add_activity_methods(table_, services_);
    add_activity_control_methods(table_, services_);
    add_rule_methods(table_, services_);
    add_task_queue_methods(table_, services_);
    add_worker_methods(table_, services_);
    add_nexus_task_methods(table_, services_);
    add_nexus_endpoint_methods(table_, services_);
    add_history_methods(table_, services_);
    add_visibility_methods(table_, services_);
    add_versioning_methods(table_, services_);
    add_batch_methods(table_, services_);
    add_operator_methods(table_, services_);
}

}  // namespace stele::frontend
