#pragma once

#include "sim/checks.h"

#include <string>
#include <vector>

// Workflows that signal others with start, as an operation of the server. Invariant 6: what the
// operation says it has done was done, once.
namespace stele::sim {

/// A signal with start that a history says has succeeded.
struct Asked {
    std::string workflow_id;  // of the target
    std::string run_id;
    std::string request_id;
};

std::vector<Asked> asked_in(const History& history);

/// What is wrong with the target, which nobody else knows.
std::vector<std::string> check_asked(const Asked& asked, const History& target);

}  // namespace stele::sim
