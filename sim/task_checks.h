#pragma once

#include "sim/checks.h"
#include "sim/record.h"

#include <string>
#include <vector>

namespace stele::sim {

/// Invariant 8: what is wrong when the first workflow task comes before the delay of the start is over
/// although nobody wanted the workflow earlier. An update and a request to cancel are for the worker
/// to see at once. A signal is not: it waits for the task that ends the delay.
std::vector<std::string> check_delay(const std::string& workflow_id, const std::string& run_id,
                                     const History& history, const Record& record);

}  // namespace stele::sim
