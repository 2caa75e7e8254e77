#include "base/ids.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <unordered_set>

namespace stele {
namespace {

TEST(StrongInt, CountsAndCompares) {
    EXPECT_EQ(kFirstEvent.previous(), kNoEvent);
    EXPECT_EQ(kNoEvent.next(), kFirstEvent);
    EXPECT_LT(EventId(2), EventId(10));
    EXPECT_EQ(EventId().value(), 0);
}

TEST(StrongInt, OneKindIsNoOtherKindAndNoPlainNumber) {
    EXPECT_FALSE((std::is_convertible_v<EventId, RunKey>));
    EXPECT_FALSE((std::is_constructible_v<EventId, RunKey>));
    EXPECT_FALSE((std::is_convertible_v<std::int64_t, EventId>));
    EXPECT_FALSE((std::is_convertible_v<EventId, std::int64_t>));
}

TEST(StrongInt, IsAKeyOfHashedContainers) {
    const std::unordered_set<Position> positions = {Position(1), Position(2), Position(1)};
    EXPECT_EQ(positions.size(), 2u);
}

TEST(RunRef, IsOrderedByNamespaceThenWorkflowThenRun) {
    EXPECT_LT((RunRef{"a", "z", "z"}), (RunRef{"b", "a", "a"}));
    EXPECT_LT((RunRef{"a", "a", "z"}), (RunRef{"a", "b", "a"}));
    EXPECT_LT((RunRef{"a", "a", "a"}), (RunRef{"a", "a", "b"}));
}

}  // namespace
}  // namespace stele
