#pragma once

#include "cli/command.h"

namespace stele::cli {

/// Adds `worker` and what is below it.
void add_worker_commands(CommandSet& commands);

}  // namespace stele::cli
