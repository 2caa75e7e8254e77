#pragma once

#include "cli/command.h"

// The commands `stele operator …`.
namespace stele::cli {

/// Declares the group and all that is in it.
void add_operator_commands(CommandSet& commands);

// The parts of it that have files of their own.
void add_search_attribute_commands(CommandSet& commands, CLI::App& parent);

/// Asks at the terminal whether to do what can not be undone, unless `yes` says so already. An error
/// when the answer is no, or when nobody is there to ask.
absl::Status confirm(bool yes, const std::string& what);

}  // namespace stele::cli
