#pragma once

#include "cli/command.h"

// The commands `stele activity …`.
namespace stele::cli {

/// Declares the group and all that is in it.
void add_activity_commands(CommandSet& commands);

// The parts of it, by file.
void add_activity_outcome_commands(CommandSet& commands, CLI::App& group);
void add_activity_control_commands(CommandSet& commands, CLI::App& group);

}  // namespace stele::cli
