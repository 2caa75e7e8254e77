#include "frontend/call_gate.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <gtest/gtest.h>

#include <vector>

namespace stele::frontend {
namespace {

using temporal::api::errordetails::v1::ResourceExhaustedFailure;

constexpr Timestamp kStart{std::chrono::hours(1'000)};

CallSettings settings(std::int32_t per_second, double burst = 1) {
    CallSettings result;
    result.calls_per_second = per_second;
    result.calls_burst = burst;
    return result;
}

int admitted(CallGate& gate, const char* method, int calls, const CallSettings& by,
             Timestamp now = kStart, const std::string& space = "n") {
    int count = 0;
    for (int i = 0; i < calls; ++i) count += gate.admit(space, call_class(method), by, now).ok();
    return count;
}

ResourceExhaustedFailure detail(const absl::Status& status) {
    ResourceExhaustedFailure result;
    result.ParseFromString(detail_of(status)->value);
    return result;
}

TEST(CallGate, LetsThroughTheRateAndTheBurst) {
    CallGate gate;
    EXPECT_EQ(admitted(gate, "DescribeWorkflowExecution", 100, settings(10, 2)), 20);
    EXPECT_EQ(admitted(gate, "DescribeWorkflowExecution", 100, settings(10, 2),
                       kStart + std::chrono::seconds(1)),
              10);
}

TEST(CallGate, SaysWhatWasExhaustedAndForWhom) {
    CallGate gate;
    admitted(gate, "StartWorkflowExecution", 1, settings(1));
    const absl::Status status =
        gate.admit("n", call_class("StartWorkflowExecution"), settings(1), kStart);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(message_of(status), "namespace rate limit exceeded");
    EXPECT_EQ(detail(status).cause(), temporal::api::enums::v1::RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT);
    EXPECT_EQ(detail(status).scope(), temporal::api::enums::v1::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
}

TEST(CallGate, NamespacesDoNotShareTheirRate) {
    CallGate gate;
    EXPECT_EQ(admitted(gate, "QueryWorkflow", 10, settings(5), kStart, "n"), 5);
    EXPECT_EQ(admitted(gate, "QueryWorkflow", 10, settings(5), kStart, "m"), 5);
}

TEST(CallGate, CompletionsAndStartsPassWhenPollsNoLongerDo) {
    CallGate gate;
    EXPECT_EQ(admitted(gate, "PollWorkflowTaskQueue", 20, settings(10)), 10);
    EXPECT_EQ(admitted(gate, "RespondWorkflowTaskCompleted", 6, settings(10)), 6);
    EXPECT_EQ(admitted(gate, "StartWorkflowExecution", 6, settings(10)), 4);
}

TEST(CallGate, PollsPayForWhatGoesBeforeThem) {
    CallGate gate;
    EXPECT_EQ(admitted(gate, "StartWorkflowExecution", 8, settings(10)), 8);
    EXPECT_EQ(admitted(gate, "PollActivityTaskQueue", 8, settings(10)), 2);
}

TEST(CallGate, ReadsOfTheIndexHaveARateOfTheirOwn) {
    CallGate gate;
    CallSettings by = settings(0);
    by.visibility_calls_per_second = 3;
    EXPECT_EQ(admitted(gate, "ListWorkflowExecutions", 10, by), 3);
    EXPECT_EQ(admitted(gate, "StartWorkflowExecution", 10, by), 10);
}

TEST(CallGate, WithoutALimitEverythingPasses) {
    CallGate gate;
    EXPECT_EQ(admitted(gate, "StartWorkflowExecution", 10'000, settings(0)), 10'000);
}

TEST(CallGate, OnlySoManyCallsOfAMethodWaitAtATime) {
    CallGate gate;
    CallSettings by;
    by.waiting_calls = 2;
    auto first = gate.wait("n", "PollWorkflowTaskQueue", by);
    auto second = gate.wait("n", "PollWorkflowTaskQueue", by);
    ASSERT_TRUE(first.ok() && second.ok());
    const absl::Status refused = gate.wait("n", "PollWorkflowTaskQueue", by).status();
    EXPECT_EQ(message_of(refused), "namespace concurrent poller limit exceeded");
    EXPECT_EQ(detail(refused).cause(),
              temporal::api::enums::v1::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
    EXPECT_TRUE(gate.wait("n", "PollActivityTaskQueue", by).ok());
    EXPECT_TRUE(gate.wait("m", "PollWorkflowTaskQueue", by).ok());
    first->reset();
    EXPECT_TRUE(gate.wait("n", "PollWorkflowTaskQueue", by).ok());
}

}  // namespace
}  // namespace stele::frontend
