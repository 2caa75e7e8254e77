#include "cli/cli.h"

#include "cli/operator.h"
#include "cli/workflow.h"

#include <cstdlib>
#include <iostream>

namespace stele::cli {

int run(int argc, const char* const* argv, const StartDevServer& start_dev_server) {
    CLI::App app("Stele: durable execution. Server and command line in one program.", "stele");
    app.require_subcommand(1);
    app.footer("`stele COMMAND --help` tells more.");
    std::function<int()> server_command;
    add_server_commands(app, start_dev_server, server_command);
    CommandSet commands(app);
    add_workflow_commands(commands);
    add_operator_commands(commands);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) {  // --help
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        std::cerr << "Error: " << error.what() << "\n";
        return EXIT_FAILURE;
    }
    const std::optional<int> exit_code = commands.run_chosen();
    return exit_code ? *exit_code : server_command();
}

}  // namespace stele::cli
