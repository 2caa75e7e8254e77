#pragma once

#include "base/status.h"
#include "history/context.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <string>

// What a request to start a workflow must satisfy, and the defaults that are filled in: whether a
// client sends it or a workflow asks for it as an operation of the server. Every refusal is
// INVALID_ARGUMENT in the words that SDKs and their users know. All functions are pure.
namespace stele::history {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

/// Absent or not negative; anything longer than a century becomes a century.
absl::Status validate_duration(google::protobuf::Duration& duration);
/// Fills in the kind; refuses reserved names and those longer than `longest`. `set` tells whether the
/// message was there.
absl::Status validate_task_queue(bool set, api::taskqueue::v1::TaskQueue& queue,
                                 std::size_t longest);
/// INVALID_ARGUMENT for a negative key or weight, or a fairness key that is too long.
absl::Status validate_priority(const api::common::v1::Priority& priority);
absl::Status validate_blob(const google::protobuf::MessageLite& payload, const Limits& limits);
/// Not too many, and addresses that may be called, in bounds. Header names become lower case.
absl::Status validate_callbacks(
    google::protobuf::RepeatedPtrField<api::common::v1::Callback>& callbacks, const Limits& limits);

/// Ids, types, queues, timeouts and policies of a start; fills in policies, request id and run
/// timeout defaults. `new_id` makes request ids.
absl::Status validate_start(service::StartWorkflowExecutionRequest& request, const Limits& limits,
                            const std::string& new_id);
absl::Status validate_signal_with_start(service::SignalWithStartWorkflowExecutionRequest& request,
                                        const Limits& limits, const std::string& new_id);

}  // namespace stele::history
