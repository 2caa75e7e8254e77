#pragma once

#include "cli/command.h"

namespace stele::cli {

/// Adds `task-queue` and what is below it.
void add_task_queue_commands(CommandSet& commands);

}  // namespace stele::cli
