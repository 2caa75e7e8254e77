#pragma once

#include "frontend/services.h"

// How a start is answered; shared by the calls that start workflows.
namespace stele::frontend {

/// All of the response but an eager workflow task. Pure.
temporal::api::workflowservice::v1::StartWorkflowExecutionResponse start_response(
    const std::string& namespace_name, const std::string& workflow_id,
    const shard::StartReply& outcome);

}  // namespace stele::frontend
