#pragma once

#include <cstdint>
#include <functional>

// The program's operator new counts, and can find no memory at one moment. This is the trial's only
// global state, so a trial that uses it has a process of its own.
namespace stele::crash_points {

struct AllocationPlan {
    /// The allocation that fails, 1 being the first from now on; 0: none. If one can not fail when it is
    /// asked for, the next one that can does.
    std::uint64_t fails = 0;
    /// Whether an allocation may not fail now, because the trial is in the middle of something.
    std::function<bool()> spared;
    /// Called in front of the failure.
    std::function<void()> last_words;
};

/// Counts the allocations of this thread from now on. Call it once.
void count_allocations(AllocationPlan plan);
std::uint64_t allocations();

}  // namespace stele::crash_points
