#include "cli/cli.h"

#include <cstdio>
#include <iostream>

namespace stele::cli {

int run(int argc, const char* const* argv, const StartDevServer& start_dev_server) {
    CLI::App app("Stele: durable execution. Server and command line in one program.", "stele");
    app.require_subcommand(1);
    std::function<int()> command;
    add_server_commands(app, start_dev_server, command);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& success) {  // --help
        return app.exit(success);
    } catch (const CLI::ParseError& error) {
        std::cerr << "Error: " << error.what() << "\n";
        return 1;
    }
    return command();
}

}  // namespace stele::cli
