#include "orders.h"

#include <gtest/gtest.h>
#include <stele/testing.h>

using namespace std::chrono_literals;

// >>> test
class PurchaseTest : public testing::Test {
protected:
    PurchaseTest() {
        register_workflows(worker);
        stele::testing::mock_activity<reserve>(worker, [](Order) {});
        stele::testing::mock_activity<charge>(worker, [](Order) { return std::string("paid"); });
        stele::testing::mock_activity<refund>(worker, [this](std::string) { ++refunds; });
    }

    stele::testing::Environment environment;
    stele::Worker worker{environment.client(), "orders"};
    std::atomic<int> refunds = 0;
};

TEST_F(PurchaseTest, LargeOrderWaitsForItsApproval) {
    stele::testing::mock_activity<ship>(worker, [](Order) {});
    worker.start();
    const Order order{.id = "7", .cents = 50'000};
    auto handle = environment.client().start<&Purchase::run>({.task_queue = "orders"}, order);
    environment.sleep(24h * 6);  // takes no time
    EXPECT_EQ(handle.query<&Purchase::status>(), "waiting");
    handle.signal<&Purchase::approve>();
    EXPECT_EQ(handle.result(), "shipped");
}

TEST_F(PurchaseTest, WhatCannotBeShippedIsPaidBack) {
    stele::testing::mock_activity<ship>(worker,
                                        [](Order) { throw std::runtime_error("no stock"); });
    worker.start();
    const Order order{.id = "8", .cents = 500};
    auto result = environment.client().execute<&Purchase::run>({.task_queue = "orders"}, order);
    EXPECT_EQ(result, "refunded");  // after three days of attempts
    EXPECT_EQ(refunds, 1);
}
// <<<

// >>> replay
TEST(PurchaseHistories, AreStillRepeated) {
    stele::Replayer replayer;
    register_workflows(replayer);
    for (const auto& [path, result] : replayer.replay_directory("histories"))
        EXPECT_TRUE(result.ok) << path << ": " << result.error;  // names the event and the step
}
// <<<
