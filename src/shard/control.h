#pragma once

#include "shard/shard.h"

// Calls that do one thing to a run: each finds the run, asks the pure core, and replies when what it
// decided is durable. All belong on the shard's executor.
namespace stele::shard::control {

void signal(Shard& shard, const NamespacePtr& space,
            service::SignalWorkflowExecutionRequest request, Reply<history::None> reply);
void request_cancel(Shard& shard, const NamespacePtr& space,
                    const service::RequestCancelWorkflowExecutionRequest& request,
                    Reply<history::None> reply);
void terminate(Shard& shard, const NamespacePtr& space,
               const service::TerminateWorkflowExecutionRequest& request,
               Reply<history::None> reply);
/// Deletes a run with all that is left of it; an open one is terminated first. Once the reply is there
/// it will be gone, soon.
void remove(Shard& shard, const NamespacePtr& space, const RunRef& run,
            Reply<history::None> reply);
/// What another run has sent: a signal, a cancel request, or a word between parent and child.
void receive(Shard& shard, const Delivery& delivery, Reply<history::None> reply);

}  // namespace stele::shard::control
