#pragma once

#include "cli/command.h"

// The commands `stele operator …`.
namespace stele::cli {

/// Declares the group and all that is in it.
void add_operator_commands(CommandSet& commands);

}  // namespace stele::cli
