#pragma once

#include "frontend/services.h"
#include "frontend/validation.h"

// Which builds of workers are still needed: a build is reachable by new workflows, or by those that
// exist, as far as its task queues' sets and the lists say. Operators ask before they stop a worker.
namespace stele::frontend {

/// Answers a request that is valid, from the version sets and the lists.
void find_reachability(Services& services, Timestamp now, const std::string& namespace_id,
                       const VersioningSettings& settings,
                       service::GetWorkerTaskReachabilityRequest request,
                       Reply<service::GetWorkerTaskReachabilityResponse> reply);

}  // namespace stele::frontend
