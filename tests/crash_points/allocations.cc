#include "tests/crash_points/allocations.h"

#include "tests/crash_points/aside.h"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace stele::crash_points {
namespace {

struct Counter {
    AllocationPlan plan;
    std::uint64_t count = 0;
    bool failed = false;
};

/// Of the thread that counts; null elsewhere.
thread_local Counter* counter = nullptr;

bool fails_now() {
    if (counter == nullptr || Aside::is_on() || counter->failed) return false;
    ++counter->count;
    if (counter->plan.fails == 0 || counter->count < counter->plan.fails) return false;
    const Aside aside;
    if (counter->plan.spared()) return false;
    counter->failed = true;
    counter->plan.last_words();
    return true;
}

/// What malloc gives, or null; a failure that is planned comes once, and whoever tries again gets memory.
void* find(std::size_t size, std::size_t alignment) {
    if (fails_now()) return nullptr;
    if (alignment <= alignof(std::max_align_t)) return std::malloc(size == 0 ? 1 : size);
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

/// As the standard says of operator new: without memory the handler is called, until there is some or
/// the handler does not come back.
void* allocate(std::size_t size, std::size_t alignment = 1) {
    for (;;) {
        if (void* found = find(size, alignment)) return found;
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

void* allocate_or_null(std::size_t size, std::size_t alignment = 1) noexcept {
    try {
        return allocate(size, alignment);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

}  // namespace

void count_allocations(AllocationPlan plan) {
    counter = new Counter{std::move(plan)};  // for the rest of the process
}

std::uint64_t allocations() { return counter->count; }

}  // namespace stele::crash_points

namespace cp = stele::crash_points;

void* operator new(std::size_t size) { return cp::allocate(size); }
void* operator new[](std::size_t size) { return cp::allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return cp::allocate_or_null(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return cp::allocate_or_null(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return cp::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return cp::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return cp::allocate_or_null(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return cp::allocate_or_null(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
