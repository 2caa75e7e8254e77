#include "frontend/worker_registry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stele::frontend {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp kStart{std::chrono::hours(1'000)};

WorkerHeartbeat worker(const std::string& key, const std::string& queue = "queue") {
    WorkerHeartbeat heartbeat;
    heartbeat.set_worker_instance_key(key);
    heartbeat.set_task_queue(queue);
    heartbeat.set_status(temporal::api::enums::v1::WORKER_STATUS_RUNNING);
    return heartbeat;
}

std::vector<std::string> keys(const WorkerRegistry::Page& page) {
    std::vector<std::string> result;
    for (const WorkerHeartbeat& heartbeat : page.workers) {
        result.push_back(heartbeat.worker_instance_key());
    }
    return result;
}

using Keys = std::vector<std::string>;

TEST(WorkerRegistry, KnowsTheLastHeartbeatOfAWorker) {
    WorkerRegistry registry;
    registry.record("n", worker("a", "old"), kStart);
    registry.record("n", worker("a", "new"), kStart + seconds(1));
    EXPECT_EQ(registry.find("n", "a", kStart + seconds(2))->task_queue(), "new");
    EXPECT_EQ(registry.find("n", "b", kStart).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(message_of(registry.find("m", "a", kStart).status()), "Worker a not found");
}

TEST(WorkerRegistry, ForgetsAWorkerThatSaysThatItHasStopped) {
    WorkerRegistry registry;
    registry.record("n", worker("a"), kStart);
    WorkerHeartbeat last = worker("a");
    last.set_status(temporal::api::enums::v1::WORKER_STATUS_SHUTDOWN);
    registry.record("n", last, kStart);
    EXPECT_FALSE(registry.find("n", "a", kStart).ok());
}

TEST(WorkerRegistry, ForgetsAWorkerThatHasBeenSilentForLong) {
    WorkerRegistry registry;
    registry.record("n", worker("silent"), kStart);
    registry.record("n", worker("alive"), kStart);
    registry.record("n", worker("alive"), kStart + minutes(4));
    EXPECT_EQ(keys(registry.list("n", {}, kStart + minutes(6))), Keys{"alive"});
}

TEST(WorkerRegistry, OverItsLimitForgetsTheOneSilentForLongest) {
    WorkerRegistry registry({.workers = 2});
    registry.record("n", worker("a"), kStart);
    registry.record("m", worker("b"), kStart);
    registry.record("n", worker("a"), kStart);
    registry.record("n", worker("c"), kStart);
    EXPECT_EQ(keys(registry.list("n", {}, kStart)), (Keys{"a", "c"}));
    EXPECT_EQ(registry.count("m", {}, kStart), 0u);
}

TEST(WorkerRegistry, ListsPagesInTheOrderOfTheKeys) {
    WorkerRegistry registry;
    for (const char* key : {"c", "a", "b"}) registry.record("n", worker(key), kStart);
    WorkerRegistry::Query query;
    query.limit = 2;
    const auto first = registry.list("n", query, kStart);
    EXPECT_EQ(keys(first), (Keys{"a", "b"}));
    EXPECT_TRUE(first.more);
    query.after = "b";
    const auto second = registry.list("n", query, kStart);
    EXPECT_EQ(keys(second), Keys{"c"});
    EXPECT_FALSE(second.more);
}

TEST(WorkerRegistry, LeavesOutTheServersOwnWorkersUnlessAskedForThem) {
    WorkerRegistry registry;
    registry.record("n", worker("a"), kStart);
    registry.record("n", worker("b", "temporal-sys-per-ns-tq"), kStart);
    WorkerRegistry::Query query;
    EXPECT_EQ(registry.count("n", query, kStart), 1u);
    query.system_workers = true;
    EXPECT_EQ(registry.count("n", query, kStart), 2u);
}

}  // namespace
}  // namespace stele::frontend
