#pragma once

#include <vector>

#include "sdk/client/client_core.h"
#include "sdk/core/update_machine.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// Updates as they travel beside a workflow task: messages with a body whose type they name. Payloads
// inside the bodies pass through the codecs here, since nothing outside can see them.
namespace stele::sdk {

/// The updates that a task asks for. Throws WorkflowTaskFailure for a message of another kind.
std::vector<core::UpdateRequest> read_updates(
    const ClientCore& client,
    const temporal::api::workflowservice::v1::PollWorkflowTaskQueueResponse& task);

/// Throws what ClientCore::encode() throws.
void write_updates(
    const ClientCore& client, const SerializationContext& context,
    std::vector<core::UpdateMessage> messages,
    temporal::api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request);

}  // namespace stele::sdk
