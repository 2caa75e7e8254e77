#pragma once

#include "sim/shared.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

// Work that is spread over the cores by forking: what it plays is one thread of its own.
namespace stele::sim {

/// Runs `share` in so many processes and waits for them.
void in_processes(int jobs, const std::function<void(int job)>& share);

/// The same, with what each of them came to; nothing of one that died.
template <typename T, typename Share>
std::vector<std::optional<T>> outcomes_in_processes(int jobs, Share share) {
    struct Slot {
        T value;
        bool complete;
    };
    Shared<Slot> slots(static_cast<std::size_t>(jobs));
    in_processes(jobs, [&](int job) {
        Slot& slot = slots[static_cast<std::size_t>(job)];
        slot.value = share(job);
        slot.complete = true;
    });
    std::vector<std::optional<T>> outcomes;
    for (const Slot& slot : slots) {
        outcomes.push_back(slot.complete ? std::optional<T>(slot.value) : std::nullopt);
    }
    return outcomes;
}

}  // namespace stele::sim
