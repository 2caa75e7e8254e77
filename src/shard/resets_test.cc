#include "shard/server_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Resets as clients and stores see them; what becomes of the history is tested in history/reset_test.cc.
namespace stele::shard::testing {
namespace {

namespace enums = api::enums::v1;
using ::testing::IsEmpty;

constexpr char kFirstTask[] =
    "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED WORKFLOW_TASK_FAILED";

class Resets : public ::testing::Test {
protected:
    service::ResetWorkflowExecutionRequest request(std::int64_t finish,
                                                   const std::string& run_id = "",
                                                   const std::string& request_id = "reset") {
        service::ResetWorkflowExecutionRequest request;
        request.mutable_workflow_execution()->set_workflow_id("w");
        request.mutable_workflow_execution()->set_run_id(run_id);
        request.set_workflow_task_finish_event_id(finish);
        request.set_request_id(request_id);
        request.set_reason("wrong turn");
        return request;
    }
    absl::StatusOr<service::ResetWorkflowExecutionResponse> reset(
        const service::ResetWorkflowExecutionRequest& request) {
        return server_.play<service::ResetWorkflowExecutionResponse>([&](auto reply) {
            server_.engine().reset(server_.space(), request, std::move(reply));
        });
    }
    std::string reset_run(std::int64_t finish, const std::string& run_id = "",
                          const std::string& request_id = "reset") {
        const auto response = reset(request(finish, run_id, request_id));
        EXPECT_TRUE(response.ok()) << message_of(response.status());
        return response.ok() ? response->run_id() : "";
    }
    service::DescribeWorkflowExecutionResponse describe(const std::string& run_id = "") {
        const auto response =
            server_.play<service::DescribeWorkflowExecutionResponse>([&](auto reply) {
                server_.engine().describe(server_.space(), {server_.space()->id, "w", run_id},
                                          std::move(reply));
            });
        EXPECT_TRUE(response.ok()) << message_of(response.status());
        return *response;
    }
    std::string start() { return server_.start("w")->run_id; }
    void step(const std::vector<api::command::v1::Command>& commands) {
        const auto task = server_.poll();
        ASSERT_TRUE(task.ok()) << message_of(task.status());
        ASSERT_TRUE(server_.complete(*task, commands).ok());
    }

    TestServer server_;
};

TEST_F(Resets, AnOpenRunGivesWayInOneBatch) {
    const std::string base = start();
    step({});
    const std::string run = reset_run(4);
    EXPECT_EQ(server_.events("w", run), std::string(kFirstTask) + " WORKFLOW_TASK_SCHEDULED");
    EXPECT_EQ(describe().workflow_execution_info().execution().run_id(), run);
    const auto old = describe(base);
    EXPECT_EQ(old.workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
    EXPECT_EQ(old.workflow_extended_info().reset_run_id(), run);
    step({complete_workflow()});
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Resets, WhatBecameOfAChildIsToldToTheNewRun) {
    start();
    step({start_child("child")});
    server_.settle();
    step({});
    const auto task = server_.poll("child-queue");
    ASSERT_TRUE(task.ok()) << message_of(task.status());
    ASSERT_TRUE(server_.complete(*task, {complete_workflow()}).ok());
    server_.settle();
    // 5 initiated, 6 started, 7 to 9 a task that sees the start; then the end of the child.
    const std::string run = reset_run(9);
    EXPECT_THAT(server_.events("w", run),
                ::testing::EndsWith("WORKFLOW_TASK_FAILED CHILD_WORKFLOW_EXECUTION_COMPLETED "
                                    "WORKFLOW_TASK_SCHEDULED"));
    const std::string earlier = reset_run(4, "", "again");
    EXPECT_THAT(server_.events("w", earlier),
                ::testing::Not(::testing::HasSubstr("CHILD_WORKFLOW_EXECUTION_COMPLETED")));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Resets, AClosedRunKeepsItsEnd) {
    const std::string base = start();
    step({complete_workflow()});
    const std::string run = reset_run(4);
    EXPECT_EQ(describe(base).workflow_execution_info().status(),
              enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
    EXPECT_EQ(describe(base).workflow_extended_info().reset_run_id(), run);
    step({complete_workflow()});
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Resets, TheSameRequestResetsOnce) {
    start();
    step({});
    const std::string run = reset_run(4);
    EXPECT_EQ(reset_run(4), run);
    server_.restart();
    EXPECT_EQ(reset_run(4), run);
    EXPECT_NE(reset_run(4, "", "another"), run);
}

TEST_F(Resets, TheSameRequestResetsOnceThoughTheRunHasContinuedSince) {
    const std::string base = start();
    step({});
    const std::string run = reset_run(4, base);
    step({continue_as_new()});
    EXPECT_EQ(reset_run(4, base), run);
}

TEST_F(Resets, SurvivesAPowerLoss) {
    start();
    step({schedule_activity("a")});
    const std::string run = reset_run(4);
    server_.lose_power();
    EXPECT_EQ(describe().workflow_execution_info().execution().run_id(), run);
    step({complete_workflow()});
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Resets, TheWorkerOfTheOldRunIsTold) {
    start();
    const auto task = server_.poll();
    reset_run(3);
    EXPECT_EQ(server_.complete(*task, {complete_workflow()}).status().code(),
              absl::StatusCode::kNotFound);
}

TEST_F(Resets, WhatTheOldRunHadBufferedIsReapplied) {
    start();
    ASSERT_TRUE(server_.poll().ok());
    ASSERT_TRUE(server_.signal("w", "unseen", "request").ok());
    const std::string run = reset_run(3);
    EXPECT_EQ(server_.events("w", run),
              std::string(kFirstTask) + " WORKFLOW_EXECUTION_SIGNALED WORKFLOW_TASK_SCHEDULED");
    // The client that repeats its signal is told that it has arrived.
    ASSERT_TRUE(server_.signal("w", "unseen", "request").ok());
    EXPECT_EQ(describe().workflow_execution_info().history_length(), 6);
}

TEST_F(Resets, SignalsOfTheRunsThatFollowedAreReapplied) {
    const std::string base = start();
    step({continue_as_new()});
    ASSERT_TRUE(server_.signal("w", "to the second").ok());
    const std::string run = reset_run(4, base);
    EXPECT_EQ(server_.events("w", run),
              std::string(kFirstTask) + " WORKFLOW_EXECUTION_SIGNALED WORKFLOW_TASK_SCHEDULED");
    EXPECT_EQ(describe(base).workflow_extended_info().reset_run_id(), run);
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Resets, AResetCanBeReset) {
    const std::string base = start();
    step({});
    const std::string first = reset_run(4);
    step({});
    const std::string second = reset_run(7, first, "another");
    const auto described = describe(second);
    EXPECT_EQ(described.workflow_execution_info().first_run_id(), base);
    EXPECT_EQ(describe(first).workflow_extended_info().reset_run_id(), second);
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Resets, ARefusedResetChangesNothing) {
    const std::string base = start();
    step({start_timer("t", std::chrono::hours(1))});
    for (const std::int64_t finish : {0, 1, 2, 5, 6, 100}) {
        EXPECT_EQ(reset(request(finish)).status().code(), absl::StatusCode::kInvalidArgument)
            << finish;
    }
    EXPECT_EQ(describe().workflow_execution_info().execution().run_id(), base);
    EXPECT_EQ(describe().workflow_execution_info().status(),
              enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Resets, ThereMustBeSuchARun) {
    EXPECT_EQ(reset(request(4)).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Resets, AResetOutlivesTheRunThatItWasMadeFrom) {
    const std::string base = start();
    step({});
    const std::string run = reset_run(4);
    const auto removed = server_.play<history::None>([&](auto reply) {
        server_.engine().remove(server_.space(), {server_.space()->id, "w", base},
                                std::move(reply));
    });
    ASSERT_TRUE(removed.ok());
    server_.settle();
    EXPECT_EQ(server_.history("w", base).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(server_.events("w", run), std::string(kFirstTask) + " WORKFLOW_TASK_SCHEDULED");
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(Resets, APausedRunIsPausedInTheCurrentRowToo) {
    start();
    const auto paused = server_.play<history::None>([&](auto reply) {
        server_.engine().pause(server_.space(), {server_.space()->id, "w", ""},
                               {"operator", "maintenance", "pause"}, std::move(reply));
    });
    ASSERT_TRUE(paused.ok());
    EXPECT_EQ(describe().workflow_execution_info().status(),
              enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
    EXPECT_THAT(server_.violations(), IsEmpty());
    server_.restart();
    EXPECT_EQ(describe().workflow_execution_info().status(),
              enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
}

}  // namespace
}  // namespace stele::shard::testing
