#include "cli/cli.h"

#include "cli/activity.h"
#include "cli/operator.h"
#include "cli/workflow.h"

#include <cstdlib>
#include <iostream>

namespace stele::cli {
namespace {

/// "stele workflow": the deepest command that the line names.
const CLI::App& deepest_command(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? app : deepest_command(*chosen.back());
}

/// What was wrong with the line. A word that is no command is what CLI11 would not mention.
std::string explain_parse_error(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App& command = deepest_command(app);
    const std::vector<std::string> rest = command.remaining();
    const bool lacks_command = command.get_require_subcommand_min() > 0;
    if (lacks_command && !rest.empty() && !rest.front().starts_with('-')) {
        return "unknown command \"" + rest.front() + "\" for \"" + command.get_name() + "\"";
    }
    return error.what();
}

}  // namespace

int run(int argc, const char* const* argv, const StartDevServer& start_dev_server) {
    CLI::App app("Stele: durable execution. Server and command line in one program.", "stele");
    app.require_subcommand(1);
    app.footer("`stele COMMAND --help` tells more.");
    std::function<int()> server_command;
    add_server_commands(app, start_dev_server, server_command);
    CommandSet commands(app);
    add_workflow_commands(commands);
    add_activity_commands(commands);
    add_operator_commands(commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) {  // --help
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        std::cerr << "Error: " << explain_parse_error(app, error) << "\n";
        return EXIT_FAILURE;
    }
    const std::optional<int> exit_code = commands.run_chosen();
    return exit_code ? *exit_code : server_command();
}

}  // namespace stele::cli
