#pragma once

#include "sim/world.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// Many seeds in several processes: seeds are independent, and one process is one thread.
namespace stele::sim {

struct Lot {
    std::uint64_t first = 1;
    std::uint64_t count = 200;
    int jobs = 2;
    std::string plant;  // the bug that is planted, for the command that repeats a seed
};

/// Sums over a lot.
struct Totals {
    std::uint64_t failed = 0;
    Counts counts;
    /// How often each site of base/probe.h was reached, in the order of probe::sites().
    std::vector<std::uint64_t> sites;
};

/// The command that plays a seed again.
std::string command_of(std::uint64_t seed, const std::string& plant);
/// Plays one seed; a broken invariant inside the engine tells how to repeat it.
Outcome play_seed(std::uint64_t seed, const std::string& plant,
                  std::function<void(const std::string&)> trace = {});
/// Prints what went wrong with a seed and how to repeat it.
void report_failure(std::uint64_t seed, const std::string& plant, const Outcome& outcome);

/// Plays a lot and prints each seed that fails, and the progress.
Totals play_lot(const Lot& lot);
/// Prints which probes and fault points the lot has reached, and the names of the others.
void report_coverage(const Totals& totals);

/// Plays each seed twice. Prints those whose traces differ and gives their number; `hashes` receives
/// the trace of each seed.
std::uint64_t play_twice(const Lot& lot, std::vector<std::uint64_t>& hashes);

}  // namespace stele::sim
