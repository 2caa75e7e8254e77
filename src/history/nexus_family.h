#pragma once

#include "history/families.h"
#include "history/nexus.h"
#include "history/nexus_endpoints.h"

// What the files of the Nexus family share.
//
//   nexus_command.cc    scheduled and cancelled by commands
//   nexus_system.cc     the operations of the server itself
//   nexus_call.cc       calls of handlers, and what their answers mean
//   nexus_outcome.cc    what became of a call, as events
//   nexus_deadlines.cc  timeouts and calls that are due
//
// Not thread safe: all work on a builder.
namespace stele::history {

/// Whether the handler has said that it goes on by itself.
inline bool is_started(const storage::NexusOperationRow& row) { return row.has_started_time(); }

/// The row that a Scheduled event begins; `when` is the moment from which its timeouts count.
storage::NexusOperationRow nexus_operation_row(const HistoryEvent& scheduled, Timestamp when);

/// Puts the call into the outbox that starts the operation.
void send_nexus_start(Builder& builder, const storage::NexusOperationRow& row);
/// Asks the handler to give the operation up, once it has said that it goes on with it.
void send_nexus_cancellation(Builder& builder, const storage::NexusOperationRow& row);

/// The failure of an operation as its events carry it.
api::failure::v1::Failure nexus_operation_failure(const storage::NexusOperationRow& row,
                                                  api::failure::v1::Failure cause);
/// Writes the outcome of an operation and forgets it.
void end_nexus_operation(Builder& builder, ItemId scheduled, const NexusOutcome& outcome);

/// The failure of an operation that has run out of this time.
api::failure::v1::Failure nexus_timeout_failure(TimeoutType type);

/// Whatever is due of this operation at builder.now(): a call, or a timeout.
void fire_nexus_deadline(Builder& builder, ItemId scheduled);

/// The request that the input of an operation of the server holds, completed as a client's would be;
/// INVALID_ARGUMENT or NOT_FOUND in the words that fail the workflow task.
absl::StatusOr<service::SignalWithStartWorkflowExecutionRequest> system_request(
    const std::string& service_name, const std::string& operation,
    const api::common::v1::Payload& input, const storage::InfoRow& caller,
    const std::string& request_id, const Context& context);

/// Pending operations as DescribeWorkflowExecution shows them.
void describe_nexus_operations(const Run& run,
                               service::DescribeWorkflowExecutionResponse& response);

// ---- Commands (nexus_command.cc) -----------------------------------------------------------------

CommandResult handle_schedule_nexus(Completion& completion, const Command& command);
CommandResult handle_request_cancel_nexus(Completion& completion, const Command& command);

}  // namespace stele::history
