#pragma once

#include "tests/crash_points/points.h"
#include "tests/crash_points/trial.h"

#include <cstdint>
#include <string>

// Trials whose process may end by itself: because it finds no memory, or because it can not read what it
// can not do without. It is a real one, forked for the trial, with the engine, its store on the disk that
// fails, clients and a worker. What it leaves is looked at by its parent.
namespace stele::crash_points {

/// How many allocations a scenario makes when none fails; 0 when it does not come to its end.
std::uint64_t count_allocations_of(const Scenario& scenario);

struct ProcessOutcome {
    bool ended = false;     // by itself, because of the failure
    std::string violation;  // what is wrong, or nothing
};

/// Plays a point in a process of its own. One that finds no memory must end; one that can not read may.
/// A server on what it has left must then have all that was acknowledged, and serve a workflow.
ProcessOutcome play_in_process(const Point& point, unsigned seconds_max);

}  // namespace stele::crash_points
