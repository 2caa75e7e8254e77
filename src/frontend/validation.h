#pragma once

#include "base/status.h"
#include "frontend/namespaces.h"
#include "history/context.h"
#include "history/search_attributes.h"
#include "history/start_request.h"
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

using history::validate_blob;
using history::validate_duration;
using history::validate_priority;
using history::validate_signal_with_start;
using history::validate_start;

/// A workflow id, and a run id that is absent or a UUID. `set` tells whether the message was there.
absl::Status validate_execution(bool set, const api::common::v1::WorkflowExecution& execution);
/// Fills in the kind; refuses reserved and over-long names.
template <typename Request>
absl::Status validate_task_queue(Request& request) {
    // Asked first: to be handed out for change is to be set.
    const bool set = request.has_task_queue();
    return history::validate_task_queue(set, *request.mutable_task_queue(), kMaximumNameBytes);
}
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
/// A deadline is needed, at least two seconds away.
absl::Status validate_poll_deadline(Timestamp deadline, Timestamp now);

absl::Status validate_signal(const service::SignalWorkflowExecutionRequest& request,
                             const history::Limits& limits);
absl::Status validate_query(const service::QueryWorkflowRequest& request,
                            const history::Limits& limits);
/// Between `least` and a century.
absl::Status validate_retention(google::protobuf::Duration& retention, Duration least);

}  // namespace stele::frontend
