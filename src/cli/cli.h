#pragma once

#include "cli/server_command.h"

// The command line `stele …`: flags, help texts and output follow the `temporal` command, whose
// users should feel at home. It is a client like any other and knows nothing of the engine; what
// runs a server is handed in.
namespace stele::cli {

/// Runs one command and returns the exit code of the process: 0 after success, 1 after an error,
/// which has been explained on stderr. Call once, from the main thread.
int run(int argc, const char* const* argv, const ServerRunner& runner);

}  // namespace stele::cli
