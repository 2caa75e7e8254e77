#pragma once

#include <atomic>

namespace stele::sdk {

/// How many more tasks of one kind a worker may take on. Safe to use from any thread.
class Slots {
public:
    explicit Slots(int free) : free_(free) {}

    bool try_take() {
        int free = free_.load();
        while (free > 0)
            if (free_.compare_exchange_weak(free, free - 1)) return true;
        return false;
    }
    void give_back() { ++free_; }

private:
    std::atomic<int> free_;
};

}  // namespace stele::sdk
