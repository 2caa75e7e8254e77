#pragma once

#include "tests/crash_points/trial.h"

#include <cstdint>
#include <string>
#include <vector>

namespace stele::crash_points {

/// One thing that can go wrong in one scenario.
struct Point {
    const Scenario* scenario = nullptr;
    Plan plan;
    /// The allocation that fails, 0: none.
    std::uint64_t allocation = 0;
};

/// The flags that play this point again.
std::string flags_of(const Point& point);

/// Every operation of a run without faults, in each of the four outcomes.
std::vector<Point> cuts_of(const Scenario& scenario, const Outcome& whole);
/// Every operation and each way in which it can fail, once and for ever.
std::vector<Point> failures_of(const Scenario& scenario, const Outcome& whole);
/// Every read and each way in which it can fail, once and for ever.
std::vector<Point> read_failures_of(const Scenario& scenario, const Outcome& whole);
/// So many of the allocations of a run, spread over it.
std::vector<Point> allocations_of(const Scenario& scenario, std::uint64_t allocations,
                                  std::uint64_t points);
/// Some cuts of a run without faults, spread over it.
std::vector<Point> cuts_to_recover_from(const Scenario& scenario, const Outcome& whole);
/// Every operation of the recovery after `first`, whose outcome is given.
std::vector<Point> cuts_in_recovery(const Point& first, const Outcome& recovered);

}  // namespace stele::crash_points
