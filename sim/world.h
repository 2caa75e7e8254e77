#pragma once

#include "sim/options.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace stele::sim {

/// What a run was, in numbers that can be added.
struct Counts {
    std::uint64_t crashes = 0;
    std::uint64_t events = 0;    // in all histories together
    std::uint64_t queries = 0;   // that were answered
    std::uint64_t children = 0;  // that were followed to their end
    double virtual_seconds = 0;

    void add(const Counts& other) {
        crashes += other.crashes;
        events += other.events;
        queries += other.queries;
        children += other.children;
        virtual_seconds += other.virtual_seconds;
    }
};

struct Outcome {
    std::vector<std::string> violations;
    std::uint64_t trace_hash = 0;
    std::uint64_t steps = 0;
    Counts counts;
};

/// Plays one seed: a time of faults, healing, a time in which everything must end, and then the
/// checks. `trace` receives every step if it is set.
Outcome play(const Options& options, std::function<void(const std::string&)> trace = {});

}  // namespace stele::sim
