#pragma once

#include "sim/checks.h"
#include "sim/record.h"

// What a history must say of updates, and what callers were told of them.
namespace stele::sim {

/// What is wrong with the updates of a closed run, one sentence each.
std::vector<std::string> check_updates(const std::string& run_id, const History& history,
                                       const Record& record);

}  // namespace stele::sim
