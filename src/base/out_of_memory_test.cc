#include "base/out_of_memory.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <new>
#include <string>

namespace stele {
namespace {

/// More than there can be, in a way that no compiler sees.
std::size_t too_much() {
    volatile std::size_t half = std::numeric_limits<std::size_t>::max() / 4;
    return half;
}

TEST(OutOfMemoryDeathTest, AnAllocationThatFailsEndsTheProcess) {
    EXPECT_DEATH(
        {
            end_process_when_out_of_memory();
            try {
                ::operator delete(::operator new(too_much()));
            } catch (const std::bad_alloc&) {
            }
        },
        "out of memory: the process ends");
}

TEST(OutOfMemoryDeathTest, EvenOneThatAsksNotToThrow) {
    EXPECT_DEATH(
        {
            end_process_when_out_of_memory();
            ::operator delete(::operator new(too_much(), std::nothrow));
        },
        "out of memory: the process ends");
}

}  // namespace
}  // namespace stele
