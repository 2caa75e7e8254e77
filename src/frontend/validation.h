#pragma once

#include "base/status.h"
#include "history/context.h"
#include "history/search_attributes.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <google/protobuf/message_lite.h>

#include <string>
#include <string_view>

// What a request must satisfy before it may reach a shard, and the defaults that are filled in on
// the way. Every refusal is INVALID_ARGUMENT in the words that SDKs and their users know. All
// functions are pure.
namespace stele::frontend {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

/// A workflow id, and a run id that is absent or a UUID. `set` tells whether the message was there.
absl::Status validate_execution(bool set, const api::common::v1::WorkflowExecution& execution);
/// Absent or not negative; anything longer than a century becomes a century.
absl::Status validate_duration(google::protobuf::Duration& duration);
/// Fills in the kind; refuses reserved and over-long names.
absl::Status validate_task_queue(bool set, api::taskqueue::v1::TaskQueue& queue);
template <typename Request>
absl::Status validate_task_queue(Request& request) {
    // Asked first: to be handed out for change is to be set.
    const bool set = request.has_task_queue();
    return validate_task_queue(set, *request.mutable_task_queue());
}
/// Addresses that may be called, in bounds. Header names become lower case.
absl::Status validate_callbacks(
    google::protobuf::RepeatedPtrField<api::common::v1::Callback>& callbacks,
    const history::Limits& limits);
absl::Status validate_priority(const api::common::v1::Priority& priority);
absl::Status validate_identity(std::string_view identity);
/// The namespace must know the search attributes that a run is to begin with. They are told their
/// types, which clients expect to read with them.
template <typename Request>
absl::Status admit_search_attributes(const history::SearchAttributeSchema& schema,
                                     const history::Limits& limits, Request& request) {
    if (!request.has_search_attributes()) return absl::OkStatus();
    STELE_RETURN_IF_ERROR(schema.check(request.search_attributes(), limits));
    schema.add_types(*request.mutable_search_attributes());
    return absl::OkStatus();
}
/// Empty, or a UUID.
bool is_run_id(std::string_view text);
absl::Status validate_blob(const google::protobuf::MessageLite& payload,
                           const history::Limits& limits);
/// A deadline is needed, at least two seconds away.
absl::Status validate_poll_deadline(Timestamp deadline, Timestamp now);

/// Ids, types, queues, timeouts and policies of a start; fills in policies, request id and run
/// timeout defaults. `new_id` makes request ids.
absl::Status validate_start(service::StartWorkflowExecutionRequest& request,
                            const history::Limits& limits, const std::string& new_id);
absl::Status validate_signal_with_start(service::SignalWithStartWorkflowExecutionRequest& request,
                                        const history::Limits& limits, const std::string& new_id);
absl::Status validate_signal(const service::SignalWorkflowExecutionRequest& request,
                             const history::Limits& limits);
absl::Status validate_query(const service::QueryWorkflowRequest& request,
                            const history::Limits& limits);
/// Between an hour and a century.
absl::Status validate_retention(google::protobuf::Duration& retention);

}  // namespace stele::frontend
