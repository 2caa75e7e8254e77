#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"
#include "store/keys.h"

#include <string>
#include <vector>

namespace stele::shard::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Of all runs in the store, in the order in which they stand there.
std::vector<std::int64_t> run_keys(TestServer& server) {
    server.settle();
    std::vector<std::int64_t> keys;
    const store::KeyRange range = store::table_range(store::Table::kState);
    for (const auto row = server.disk().content().scan(range.begin, range.end); row->valid();
         row->next()) {
        const auto key = store::decode_state_key(row->key());
        if (key.ok() && key->kind == store::StateKind::kHeader) keys.push_back(key->run.value());
    }
    return keys;
}

TEST(RunKeys, CountTheRunsOfAShardInOneRow) {
    TestServer server;
    for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(server.start(id).ok());
    EXPECT_THAT(run_keys(server), ElementsAre(1, 2, 3));
}

TEST(RunKeys, GoOnBehindTheLargestAfterALossOfPower) {
    TestServer server;
    for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(server.start(id).ok());
    server.lose_power();
    ASSERT_TRUE(server.start("d").ok());
    EXPECT_THAT(run_keys(server), ElementsAre(1, 2, 3, 4));
}

TEST(RunKeys, NoOtherRunGetsThatOfOneThatThisProcessHasDeleted) {
    TestServer server;
    ASSERT_TRUE(server.start("a").ok());
    ASSERT_TRUE(server.terminate("a").ok());
    server.sim().run_for(std::chrono::hours(25));
    EXPECT_THAT(run_keys(server), IsEmpty());
    ASSERT_TRUE(server.start("b").ok());
    EXPECT_THAT(run_keys(server), ElementsAre(2));
}

TEST(RunKeys, ShardsCountEachForItself) {
    TestServer server(1, {.shard_count = 4});
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(server.start("w" + std::to_string(i)).ok());
    const std::vector<std::int64_t> keys = run_keys(server);
    EXPECT_EQ(keys.size(), 40U);
    EXPECT_LT(keys.back(), 40);
    EXPECT_THAT(server.violations(), IsEmpty());
    server.lose_power();
    ASSERT_TRUE(server.start("next").ok());
    EXPECT_EQ(run_keys(server).back(), keys.back() + 1);
    EXPECT_THAT(server.violations(), IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
