#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"
#include "shard/verify.h"

namespace stele::shard::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

EngineOptions many_shards() {
    EngineOptions options;
    options.shard_count = 4;
    return options;
}

void send_signal(TestServer& server, const std::string& from, const std::string& to) {
    ASSERT_TRUE(server.start(from).ok());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok()) << message_of(task.status());
    ASSERT_TRUE(server.complete(*task, {signal_external(to, "hello")}).ok());
}

TEST(Outbox, ASignalReachesTheOtherRunAndItsOutcomeComesBack) {
    TestServer server(1, many_shards());
    ASSERT_TRUE(server.start("target").ok());
    server.settle();
    server.offers().tasks.clear();
    send_signal(server, "source", "target");
    server.settle();
    EXPECT_EQ(signals_in(server.events("target")), 1);
    EXPECT_THAT(server.events("source"), HasSubstr("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"));
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Outbox, ASignalToNobodyFails) {
    TestServer server(1, many_shards());
    send_signal(server, "source", "nobody");
    server.settle();
    EXPECT_THAT(server.events("source"),
                HasSubstr("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED WORKFLOW_TASK_SCHEDULED"));
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Outbox, ARunCanNotReachItself) {
    TestServer server(1, many_shards());
    send_signal(server, "source", "source");
    server.settle();
    EXPECT_THAT(server.events("source"),
                HasSubstr("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED "
                          "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED WORKFLOW_TASK_SCHEDULED"));
    EXPECT_EQ(signals_in(server.events("source")), 0);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Outbox, ACrashDuringDeliveryNeitherLosesNorRepeatsTheSignal) {
    for (std::uint64_t step = 1; step <= 120; step += 3) {
        TestServer server(step, many_shards());
        ASSERT_TRUE(server.start("target").ok());
        server.settle();
        server.offers().tasks.clear();
        ASSERT_TRUE(server.start("source").ok());
        const auto task = server.poll();
        ASSERT_TRUE(task.ok());
        ASSERT_TRUE(server.complete(*task, {signal_external("target", "hello")}).ok());
        for (std::uint64_t i = 0; i < step; ++i) server.sim().run_one();
        server.lose_power();
        EXPECT_THAT(verify_store(server.disk().content()), IsEmpty());
        server.settle();
        EXPECT_EQ(signals_in(server.events("target")), 1) << "crash after step " << step;
        EXPECT_THAT(server.events("source"), HasSubstr("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"));
        EXPECT_THAT(server.violations(), IsEmpty());
    }
}

}  // namespace
}  // namespace stele::shard::testing
