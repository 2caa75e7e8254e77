#include "cli/workflow.h"

#include <fmt/format.h>

#include <cstdlib>

namespace stele::cli {

void add_workflow_commands(CommandSet& commands) {
    CLI::App& group =
        commands.group(commands.root(), "workflow", "Start, look at and control workflows");
    add_workflow_start_commands(commands, group);
    add_workflow_view_commands(commands, group);
    add_workflow_control_commands(commands, group);
    add_workflow_reset_command(commands, group);
    add_workflow_operation_commands(commands, group);
}

temporal::api::common::v1::WorkflowExecution ExecutionFlags::execution() const {
    temporal::api::common::v1::WorkflowExecution execution;
    execution.set_workflow_id(workflow_id);
    execution.set_run_id(run_id);
    return execution;
}

void add_execution_flags(CLI::App& app, ExecutionFlags& flags) {
    app.add_option("-w,--workflow-id", flags.workflow_id, "Workflow id")
        ->required()
        ->type_name("ID");
    app.add_option("-r,--run-id", flags.run_id, "Run id; the current run unless given")
        ->type_name("ID");
}

std::string default_reason() {
    const char* user = std::getenv("USER");
    return fmt::format("Requested from CLI by {}", user == nullptr ? "<unknown-user>" : user);
}

void print_done(Session& session, const std::string& message) {
    session.printer().line(message);
    session.printer().json(Json::object());
}

}  // namespace stele::cli
