#pragma once

#include "shard/shard.h"

// ResetWorkflowExecution: a new run is made from the history of an old one, and whatever run is
// current gives way to it, in one batch. The histories are copied rather than shared (see
// docs/adr), so a run that was reset can be deleted like any other. Belongs on the shard's executor.
namespace stele::shard::control {

/// The same request id again gets the run that it made. NOT_FOUND when there is no such run, or no
/// current one where none is named.
void reset(Shard& shard, const NamespacePtr& space, service::ResetWorkflowExecutionRequest request,
           Reply<service::ResetWorkflowExecutionResponse> reply);

}  // namespace stele::shard::control
