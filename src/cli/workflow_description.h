#pragma once

#include "cli/session.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// The state of a workflow as people read it.
namespace stele::cli {

/// Cards: execution, timeouts, metadata and what is pending.
void print_description(
    Session& session,
    const temporal::api::workflowservice::v1::DescribeWorkflowExecutionResponse& description);

}  // namespace stele::cli
