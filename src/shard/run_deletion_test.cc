#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"
#include "store/keys.h"

namespace stele::shard::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Duration kRetention = std::chrono::hours(24);
constexpr Duration kJitter = std::chrono::minutes(31);

/// Rows that belong to runs, in words.
std::vector<std::string> rows_of_runs(TestServer& server) {
    std::vector<std::string> rows;
    for (const store::Table table :
         {store::Table::kCurrent, store::Table::kRun, store::Table::kState, store::Table::kEvents,
          store::Table::kDispatch, store::Table::kAlarm, store::Table::kOutbox}) {
        const store::KeyRange range = store::table_range(table);
        for (const auto row = server.disk().content().scan(range.begin, range.end); row->valid();
             row->next()) {
            rows.push_back(store::describe_key(row->key()));
        }
    }
    return rows;
}

std::string read_error(TestServer& server, const std::string& workflow_id) {
    const auto reply = server.history(workflow_id);
    return reply.ok() ? "found" : message_of(reply.status());
}

std::size_t purge(TestServer& server) {
    const auto runs = server.play<std::size_t>([&](Reply<std::size_t> reply) {
        server.engine().purge_namespace(server.space()->id, std::move(reply));
    });
    return runs.ok() ? *runs : 0;
}

TEST(RunDeletion, ClosedRunGoesWhenItsRetentionIsOverAndNotBefore) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    ASSERT_TRUE(server.terminate("w").ok());
    server.sim().run_for(kRetention - std::chrono::minutes(1));
    EXPECT_EQ(read_error(server, "w"), "found");
    server.sim().run_for(std::chrono::minutes(1) + kJitter);
    EXPECT_THAT(read_error(server, "w"), HasSubstr("workflow not found"));
    EXPECT_THAT(rows_of_runs(server), IsEmpty());
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(RunDeletion, RestartDoesNotForgetTheRetention) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    ASSERT_TRUE(server.terminate("w").ok());
    server.sim().run_for(std::chrono::hours(12));
    server.lose_power();
    server.sim().run_for(std::chrono::hours(12) + kJitter);
    server.settle();
    EXPECT_THAT(rows_of_runs(server), IsEmpty());
}

TEST(RunDeletion, OpenRunStaysHoweverOldItIs) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    server.sim().run_for(3 * kRetention);
    EXPECT_EQ(read_error(server, "w"), "found");
}

TEST(RunDeletion, OlderRunGoesWithoutTheNewerOne) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    ASSERT_TRUE(server.terminate("w").ok());
    server.sim().run_for(std::chrono::hours(1));
    const auto second = server.start(server.start_request("w", "again"));
    ASSERT_TRUE(second.ok());
    server.sim().run_for(kRetention + kJitter);
    EXPECT_EQ(read_error(server, "w"), "found");
    EXPECT_EQ(server.history("w")->run_id, second->run_id);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(RunDeletion, WorkflowIdIsFreeAgainAtOnceAndTheNewRunIsAnotherOne) {
    TestServer server;
    const auto first = server.start("w");
    ASSERT_TRUE(first.ok());
    ASSERT_GT(purge(server), 0);
    server.sim().run_until([&] { return read_error(server, "w") != "found"; },
                           std::chrono::seconds(10));
    auto request = server.start_request("w");
    request.set_workflow_id_reuse_policy(api::enums::v1::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
    const auto second = server.start(request);
    ASSERT_TRUE(second.ok()) << message_of(second.status());
    EXPECT_TRUE(second->started);
    EXPECT_NE(second->run_id, first->run_id);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(RunDeletion, NamespaceIsEmptiedOfOpenAndClosedRuns) {
    TestServer server;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(server.start("w" + std::to_string(i)).ok());
    for (int i = 0; i < 7; ++i) ASSERT_TRUE(server.terminate("w" + std::to_string(i)).ok());
    EXPECT_EQ(purge(server), 20);
    server.sim().run_for(std::chrono::seconds(5));
    EXPECT_EQ(purge(server), 0);
    EXPECT_THAT(rows_of_runs(server), IsEmpty());
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(RunDeletion, CrashAtAnyStepLeavesAllOfARunOrNothing) {
    for (std::uint64_t step = 1; step <= 60; step += 2) {
        TestServer server(step);
        ASSERT_TRUE(server.start("w").ok());
        ASSERT_TRUE(server.terminate("w").ok());
        server.engine().purge_namespace(server.space()->id, [](absl::StatusOr<std::size_t>) {});
        for (std::uint64_t i = 0; i < step; ++i) server.sim().run_one();
        server.lose_power();
        EXPECT_THAT(server.violations(), IsEmpty()) << "after step " << step;
        purge(server);
        server.sim().run_for(std::chrono::seconds(5));
        EXPECT_THAT(rows_of_runs(server), IsEmpty()) << "after step " << step;
    }
}

TEST(IndexFeed, StartAndCloseAreAnnouncedAndNothingElse) {
    store::IndexFeeds feeds;
    EngineOptions options;
    options.index_feeds = &feeds;
    TestServer server(1, options);
    const auto last = [&] { return feeds.ends()[0].sequence; };
    ASSERT_TRUE(server.start("w").ok());
    EXPECT_EQ(last(), 1);
    ASSERT_TRUE(server.signal("w", "hello").ok());
    EXPECT_EQ(last(), 1);
    ASSERT_TRUE(server.terminate("w").ok());
    EXPECT_EQ(last(), 2);
}

TEST(IndexFeed, NumberingGoesOnAfterARestart) {
    store::IndexFeeds feeds;
    EngineOptions options;
    options.index_feeds = &feeds;
    TestServer server(1, options);
    ASSERT_TRUE(server.start("a").ok());
    server.restart();
    ASSERT_TRUE(server.start("b").ok());
    EXPECT_EQ(feeds.ends()[0].sequence, 2);
}

}  // namespace
}  // namespace stele::shard::testing
