#pragma once

#include "store/store.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include <string>
#include <vector>

// Invariant 14: at quiet, lists show exactly the runs that the store has, as they are.
namespace stele::sim {

/// What differs, one sentence each.
std::vector<std::string> compare_lists(
    store::Store& store,
    const std::vector<temporal::api::workflow::v1::WorkflowExecutionInfo>& listed);

}  // namespace stele::sim
