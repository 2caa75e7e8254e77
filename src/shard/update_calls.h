#pragma once

#include "base/ids.h"
#include "temporal/api/update/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <absl/status/statusor.h>

#include <optional>
#include <string>

// What the engine answers about updates.
namespace stele::shard {

/// How far an update has come when its caller is answered: as far as it wanted, or as far as it was
/// when the server's wait ended.
struct UpdateReply {
    RunRef run;
    std::string update_id;
    temporal::api::enums::v1::UpdateWorkflowExecutionLifecycleStage stage{};
    /// Set when the update has ended; a failure when it was rejected or failed.
    std::optional<temporal::api::update::v1::Outcome> outcome;
};

/// The status of a part of an update-with-start that was not tried because of the other.
absl::Status operation_not_tried();

/// Both name the same workflow id, and no run.
struct UpdateWithStartRequest {
    temporal::api::workflowservice::v1::StartWorkflowExecutionRequest start;
    temporal::api::workflowservice::v1::UpdateWorkflowExecutionRequest update;
};

}  // namespace stele::shard
