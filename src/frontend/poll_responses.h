#pragma once

#include "frontend/services.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// Poll responses, made from what the shards hand over. Stored history goes in as the bytes that it
// was stored as.
namespace stele::frontend {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

/// Appends a length-delimited protobuf field; joined to a serialised message it becomes part of it.
void append_field(std::string& out, int field, std::string_view bytes);

/// The serialised temporal.api.history.v1.History of a page, with `tail` behind it.
std::string join_history(const shard::HistoryPage& page, std::string_view tail);
std::string serialize_events(const std::vector<history::HistoryEvent>& events);

Spliced<service::PollWorkflowTaskQueueResponse> poll_response(const TokenSigner& tokens,
                                                              shard::PolledWorkflowTask task);
service::PollActivityTaskQueueResponse poll_response(const TokenSigner& tokens,
                                                     shard::PolledActivityTask task);

/// The token of an activity that a worker holds; the same bytes whenever it is made.
wire::TaskToken wire_token(const RunRef& run, const history::ActivityToken& activity);

/// The engine's form of a token that was opened. `by_id` tokens name the activity by its id.
history::WorkflowTaskToken workflow_task_token(const wire::TaskToken& token);
history::ActivityToken activity_token(const wire::TaskToken& token);
RunRef run_ref(const wire::TaskToken& token);

}  // namespace stele::frontend
