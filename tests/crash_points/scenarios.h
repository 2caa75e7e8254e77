#pragma once

#include "tests/crash_points/trial.h"

#include <vector>

namespace stele::crash_points {

/// All of them, in the order in which they are played. Names are for ever: they repeat a failure.
const std::vector<Scenario>& scenarios();

}  // namespace stele::crash_points
