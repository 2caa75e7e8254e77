#pragma once

#include "history/families.h"

// Choosing and obeying the commands of a completed workflow task, and what the command families share.
namespace stele::history {

/// INVALID_ARGUMENT when a command follows one that closes the run, or is of no known kind.
absl::Status check_command_sequence(const google::protobuf::RepeatedPtrField<Command>& commands);

/// Obeys one command.
CommandResult obey_command(Completion& completion, const Command& command);

/// The refusal of an id that is longer than the limit: `what` names the field.
CommandResult check_id_length(const Completion& completion, WorkflowTaskFailedCause cause,
                              const std::string& what, const std::string& short_name,
                              const std::string& id);

/// A close command that comes while the worker does not know of everything that happened.
CommandResult refuse_unseen_events(const Completion& completion);

/// A refusal that terminates the run, when `bytes` is more than a payload may have.
CommandResult check_blob_size(const Completion& completion, std::size_t bytes,
                              WorkflowTaskFailedCause cause, std::string message);

/// INVALID_ARGUMENT as a refusal with this cause; `refuse` for the message of a status.
CommandResult refuse_if_error(WorkflowTaskFailedCause cause, const absl::Status& status);

}  // namespace stele::history
