#include "frontend/worker_filter.h"

#include "base/time.h"

#include <gtest/gtest.h>

namespace stele::frontend {
namespace {

namespace enums = temporal::api::enums::v1;

WorkerHeartbeat make_worker() {
    WorkerHeartbeat worker;
    worker.set_worker_instance_key("key");
    worker.set_task_queue("queue");
    worker.set_sdk_name("temporal-go");
    worker.set_status(enums::WORKER_STATUS_RUNNING);
    worker.mutable_deployment_version()->set_build_id("1.0");
    *worker.mutable_start_time() = to_proto(Timestamp(std::chrono::hours(24 * 365 * 55)));
    return worker;
}

bool wants(const std::string& text, const WorkerHeartbeat& worker = make_worker()) {
    const auto parsed = parse_worker_filter(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << parsed.status();
    return parsed.ok() && (*parsed)(worker);
}

TEST(WorkerFilter, EmptyTextWantsEveryWorker) { EXPECT_TRUE(wants("")); }

TEST(WorkerFilter, ConditionsAreJoinedAndGrouped) {
    EXPECT_TRUE(wants("TaskQueue = 'queue' AND (BuildId = '2.0' OR BuildId = '1.0')"));
    EXPECT_FALSE(wants("TaskQueue = 'queue' AND BuildId = '2.0'"));
    EXPECT_TRUE(wants("SdkName STARTS_WITH 'temporal-' AND WorkerInstanceKey != 'other'"));
}

TEST(WorkerFilter, StatusGoesByEitherName) {
    EXPECT_TRUE(wants("Status = 'Running'"));
    EXPECT_TRUE(wants("WorkerStatus = 'Running'"));
    EXPECT_FALSE(wants("Status = 'ShuttingDown'"));
}

TEST(WorkerFilter, TimesAreComparedAsTimes) {
    EXPECT_TRUE(wants("StartTime < '2030-01-01T00:00:00Z'"));
    EXPECT_TRUE(wants("StartTime BETWEEN '2020-01-01T00:00:00Z' AND '2030-01-01T00:00:00Z'"));
    EXPECT_TRUE(wants("HeartbeatTime IS NULL AND StartTime IS NOT NULL"));
    EXPECT_FALSE(wants("HeartbeatTime > '2020-01-01T00:00:00Z'"));
}

TEST(WorkerFilter, AnEmptyTextIsNoValueButDiffersFromEveryOther) {
    EXPECT_TRUE(wants("HostName IS NULL"));
    EXPECT_FALSE(wants("HostName IS NOT NULL"));
    EXPECT_TRUE(wants("TaskQueue IS NOT NULL"));
    EXPECT_TRUE(wants("HostName != 'a'"));
    EXPECT_FALSE(wants("HostName = ''"));
}

TEST(WorkerFilter, ANameThatMeansNothingHoldsForNoWorker) {
    EXPECT_FALSE(wants("Nothing = 'a'"));
    EXPECT_FALSE(wants("Nothing != 'a'"));
    EXPECT_FALSE(wants("Nothing IS NULL"));
    EXPECT_TRUE(wants("Nothing = 'a' OR TaskQueue = 'queue'"));
}

TEST(WorkerFilter, RefusesATextThatIsNoFilter) {
    const auto parsed = parse_worker_filter("TaskQueue = ");
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(message_of(parsed.status()).starts_with("malformed query: ")) << parsed.status();
}

}  // namespace
}  // namespace stele::frontend
