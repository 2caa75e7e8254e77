#pragma once

#include "cli/command.h"
#include "temporal/api/common/v1/message.pb.h"

#include <memory>
#include <string>

// The commands `stele workflow …`.
namespace stele::cli {

/// Declares the group and all that is in it.
void add_workflow_commands(CommandSet& commands);

// The parts of it, by file.
void add_workflow_start_commands(CommandSet& commands, CLI::App& group);
void add_workflow_view_commands(CommandSet& commands, CLI::App& group);
void add_workflow_control_commands(CommandSet& commands, CLI::App& group);
void add_workflow_reset_command(CommandSet& commands, CLI::App& group);
void add_workflow_operation_commands(CommandSet& commands, CLI::App& group);

/// -w and -r, which name an execution.
struct ExecutionFlags {
    std::string workflow_id;
    std::string run_id;

    temporal::api::common::v1::WorkflowExecution execution() const;
};
void add_execution_flags(CLI::App& app, ExecutionFlags& flags);

/// The reason that is given where the user gives none.
std::string default_reason();
/// Text: the message; JSON: an empty object, so that a program always reads one.
void print_done(Session& session, const std::string& message);

}  // namespace stele::cli
