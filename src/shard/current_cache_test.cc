#include "shard/current_cache.h"

#include <gtest/gtest.h>

namespace stele::shard {
namespace {

RunRef workflow(const std::string& id) { return {"namespace", id, {}}; }

storage::CurrentRow row(const std::string& run_id) {
    storage::CurrentRow row;
    row.set_run_id(run_id);
    return row;
}

TEST(CurrentCache, ARowIsFoundByNamespaceAndWorkflowId) {
    CurrentCache cache(10);
    cache.put(workflow("one"), row("first"), Position(1), Position(1));
    EXPECT_EQ(cache.find({"namespace", "one", "of no meaning"})->run_id(), "first");
    EXPECT_EQ(cache.find({"another", "one", {}}), nullptr);
    EXPECT_EQ(cache.find(workflow("two")), nullptr);
}

TEST(CurrentCache, ANewerRowTakesThePlaceOfAnOlderOne) {
    CurrentCache cache(1);
    cache.put(workflow("one"), row("first"), Position(1), Position(1));
    EXPECT_EQ(cache.put(workflow("one"), row("second"), Position(2), Position(1)).run_id(),
              "second");
    EXPECT_EQ(cache.find(workflow("one"))->run_id(), "second");
    // The newer one is not in the store yet, so that it stays.
    cache.put(workflow("two"), row("other"), Position(3), Position(1));
    EXPECT_NE(cache.find(workflow("one")), nullptr);
}

TEST(CurrentCache, WhatWasNotUsedForLongestLeavesFirst) {
    CurrentCache cache(2);
    cache.put(workflow("one"), row("1"), Position(1), Position(9));
    cache.put(workflow("two"), row("2"), Position(2), Position(9));
    ASSERT_NE(cache.find(workflow("one")), nullptr);
    cache.put(workflow("three"), row("3"), Position(3), Position(9));
    EXPECT_NE(cache.find(workflow("one")), nullptr);
    EXPECT_EQ(cache.find(workflow("two")), nullptr);
    EXPECT_NE(cache.find(workflow("three")), nullptr);
}

TEST(CurrentCache, WhatTheStoreDoesNotHaveYetStaysUntilItHas) {
    CurrentCache cache(1);
    cache.put(workflow("one"), row("1"), Position(5), Position(4));
    cache.put(workflow("two"), row("2"), Position(6), Position(4));
    EXPECT_NE(cache.find(workflow("one")), nullptr);
    cache.put(workflow("three"), row("3"), Position(7), Position(6));
    EXPECT_EQ(cache.find(workflow("one")), nullptr);
    EXPECT_EQ(cache.find(workflow("two")), nullptr);
    EXPECT_NE(cache.find(workflow("three")), nullptr);
}

}  // namespace
}  // namespace stele::shard
