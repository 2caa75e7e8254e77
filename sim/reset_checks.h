#pragma once

#include "sim/checks.h"

namespace stele::sim {

/// What is wrong between a run and the one that a reset to before event `finish` made of it: the
/// events in front are the same, and no signal behind is lost. `later` are the runs that the base
/// continued as.
std::vector<std::string> check_reset(std::int64_t finish, const History& base,
                                     const std::vector<History>& later, const History& run);

}  // namespace stele::sim
