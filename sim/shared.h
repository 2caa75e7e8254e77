#pragma once

#include "base/check.h"

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <type_traits>

namespace stele::sim {

/// An array of zeroes that this process and those that it forks see in common, so that what a child
/// wrote outlives its crash.
template <typename T>
class Shared {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    explicit Shared(std::size_t count) : count_(count) {
        void* const memory =
            mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        STELE_CHECK(memory != MAP_FAILED, "no memory to share");
        values_ = static_cast<T*>(memory);
    }
    ~Shared() { munmap(values_, bytes()); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    T& operator[](std::size_t index) { return values_[index]; }
    T* begin() { return values_; }
    T* end() { return values_ + count_; }

private:
    std::size_t bytes() const { return (count_ + 1) * sizeof(T); }

    std::size_t count_;
    T* values_ = nullptr;
};

}  // namespace stele::sim
