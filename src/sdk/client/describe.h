#pragma once

#include "stele/visibility.h"
#include "temporal/api/workflow/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// The API's messages about runs as the SDK's own types. Pure.
namespace stele::sdk {

/// Fills in what lists and descriptions have in common.
void read_summary(const temporal::api::workflow::v1::WorkflowExecutionInfo& info,
                  WorkflowSummary& summary);

WorkflowDescription read_description(
    const temporal::api::workflowservice::v1::DescribeWorkflowExecutionResponse& reply);

}  // namespace stele::sdk
