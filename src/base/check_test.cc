#include "base/check.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(CheckDeathTest, ABrokenInvariantEndsTheProcessWithPlaceReasonAndContext) {
    const auto broken = [](int attempts) {
        set_check_context("repeat with: seed 17");
        STELE_CHECK(attempts < 3, "attempts is " + std::to_string(attempts));
    };
    EXPECT_DEATH(broken(3),
                 "check_test.cc:[0-9]+: attempts < 3\n  attempts is 3\n  repeat with: seed 17");
}

TEST(Check, AnInvariantThatHoldsCostsNothing) {
    int built = 0;
    const auto message = [&built] {
        ++built;
        return std::string("unused");
    };
    STELE_CHECK(true, message());
    EXPECT_EQ(built, 0);
}

}  // namespace
}  // namespace stele
