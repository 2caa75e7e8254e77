#pragma once

#include "frontend/services.h"

// How a start is answered; shared by the calls that start workflows.
namespace stele::frontend {

/// What the response names of the request that it answers.
struct StartNames {
    std::string namespace_name;
    std::string workflow_id;
    std::string request_id;
};

/// All of the response but an eager workflow task. Pure.
temporal::api::workflowservice::v1::StartWorkflowExecutionResponse start_response(
    const StartNames& names, const shard::StartReply& outcome);

}  // namespace stele::frontend
