#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"

#include "temporal/api/errordetails/v1/message.pb.h"

namespace stele::shard::testing {
namespace {

namespace enums = api::enums::v1;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void finish(TestServer& server) {
    const auto task = server.poll();
    ASSERT_TRUE(task.ok()) << message_of(task.status());
    ASSERT_TRUE(server.complete(*task, {complete_workflow()}).ok());
}

api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure detail_in(
    const absl::Status& status) {
    api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure failure;
    const auto detail = detail_of(status);
    EXPECT_TRUE(detail && failure.ParseFromString(detail->value));
    return failure;
}

TEST(Starts, ARepeatedRequestIdFindsTheRunThatItStarted) {
    TestServer server;
    const auto first = server.start(server.start_request("w", "request"));
    const auto again = server.start(server.start_request("w", "request"));
    ASSERT_TRUE(first.ok() && again.ok());
    EXPECT_EQ(again->run_id, first->run_id);
    EXPECT_TRUE(again->started);
    finish(server);
    const auto closed = server.start(server.start_request("w", "request"));
    ASSERT_TRUE(closed.ok());
    EXPECT_EQ(closed->run_id, first->run_id);
    EXPECT_EQ(closed->status, enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Starts, ASignalThatIsToReplaceTheRunDoesSoEachTime) {
    TestServer server;
    service::SignalWithStartWorkflowExecutionRequest request;
    request.set_workflow_id("w");
    request.mutable_workflow_type()->set_name("type");
    request.mutable_task_queue()->set_name("queue");
    request.set_request_id("request");
    request.set_signal_name("s");
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
    const auto send = [&] {
        return server.play<StartReply>([&](Reply<StartReply> reply) {
            server.engine().signal_with_start(server.space(), request, std::move(reply));
        });
    };
    const auto first = send();
    const auto second = send();
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_NE(second->run_id, first->run_id);
    EXPECT_TRUE(second->started);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Starts, AnOpenRunRefusesAnotherAndSaysWhich) {
    TestServer server;
    const auto first = server.start(server.start_request("w", "one"));
    ASSERT_TRUE(first.ok());
    const auto second = server.start(server.start_request("w", "two"));
    EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(
        message_of(second.status()),
        "Workflow execution is already running. WorkflowId: w, RunId: " + first->run_id + ".");
    EXPECT_EQ(detail_in(second.status()).run_id(), first->run_id);
    EXPECT_EQ(detail_in(second.status()).start_request_id(), "one");
}

TEST(Starts, UseExistingGivesTheOpenRun) {
    TestServer server;
    const auto first = server.start(server.start_request("w", "one"));
    auto request = server.start_request("w", "two");
    request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    const auto second = server.start(request);
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_EQ(second->run_id, first->run_id);
    EXPECT_FALSE(second->started);
}

TEST(Starts, TerminateExistingReplacesTheRunInOneBatch) {
    for (const bool legacy : {false, true}) {
        TestServer server;
        const auto first = server.start(server.start_request("w", "one"));
        auto request = server.start_request("w", "two");
        if (legacy) {
            request.set_workflow_id_reuse_policy(
                enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING);
        } else {
            request.set_workflow_id_conflict_policy(
                enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
        }
        server.settle();
        const std::uint64_t writes = server.disk().writes();
        const auto second = server.start(request);
        EXPECT_EQ(server.disk().writes(), writes + 1);
        ASSERT_TRUE(first.ok() && second.ok());
        EXPECT_NE(second->run_id, first->run_id);
        EXPECT_THAT(server.events("w", first->run_id),
                    ::testing::EndsWith("WORKFLOW_EXECUTION_TERMINATED"));
        EXPECT_EQ(server.events("w"), "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED");
        EXPECT_THAT(server.violations(), IsEmpty());
        server.restart();
        EXPECT_EQ(server.events("w"), "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED");
    }
}

TEST(Starts, ReusePoliciesGoByHowTheLastRunEnded) {
    TestServer server;
    ASSERT_TRUE(server.start(server.start_request("done", "one")).ok());
    finish(server);
    auto request = server.start_request("done", "two");
    request.set_workflow_id_reuse_policy(
        enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY);
    EXPECT_THAT(message_of(server.start(request).status()),
                HasSubstr("Workflow execution already finished successfully. WorkflowId: done"));
    request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
    EXPECT_THAT(message_of(server.start(request).status()),
                HasSubstr("Workflow Id reuse policy: reject duplicate workflow Id."));
    request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    EXPECT_TRUE(server.start(request).ok());

    ASSERT_TRUE(server.start(server.start_request("failed", "one")).ok());
    ASSERT_TRUE(server.terminate("failed").ok());
    auto retry = server.start_request("failed", "two");
    retry.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY);
    EXPECT_TRUE(server.start(retry).ok());
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Starts, SignalWithStartStartsThenSignals) {
    TestServer server;
    const auto call = [&server](const std::string& request_id) {
        service::SignalWithStartWorkflowExecutionRequest request;
        request.set_workflow_id("w");
        request.mutable_workflow_type()->set_name("type");
        request.mutable_task_queue()->set_name("queue");
        request.set_signal_name("signal");
        request.set_request_id(request_id);
        return server.play<StartReply>([&](Reply<StartReply> reply) {
            server.engine().signal_with_start(server.space(), request, std::move(reply));
        });
    };
    const auto first = call("one");
    const auto repeated = call("one");
    const auto second = call("two");
    ASSERT_TRUE(first.ok() && repeated.ok() && second.ok());
    EXPECT_TRUE(first->started);
    EXPECT_FALSE(second->started);
    EXPECT_EQ(second->run_id, first->run_id);
    EXPECT_EQ(server.events("w"),
              "WORKFLOW_EXECUTION_STARTED WORKFLOW_EXECUTION_SIGNALED WORKFLOW_TASK_SCHEDULED "
              "WORKFLOW_EXECUTION_SIGNALED");
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Starts, EagerStartHandsTheFirstTaskOver) {
    TestServer server;
    auto request = server.start_request("w");
    request.set_request_eager_execution(true);
    const auto started = server.start(request);
    ASSERT_TRUE(started.ok());
    ASSERT_TRUE(started->eager_task.has_value());
    EXPECT_THAT(server.offers().tasks, IsEmpty());
    ASSERT_TRUE(server.complete(*started->eager_task, {complete_workflow()}).ok());
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Starts, ContinueAsNewCreatesTheNextRunInTheSameBatch) {
    TestServer server;
    const auto first = server.start("w");
    const auto task = server.poll();
    ASSERT_TRUE(task.ok());
    server.settle();
    const std::uint64_t writes = server.disk().writes();
    ASSERT_TRUE(server.complete(*task, {continue_as_new()}).ok());
    EXPECT_EQ(server.disk().writes(), writes + 1);
    EXPECT_THAT(server.events("w", first->run_id),
                ::testing::EndsWith("WORKFLOW_EXECUTION_CONTINUED_AS_NEW"));
    EXPECT_THAT(server.violations(), IsEmpty());
    server.restart();
    server.sim().run_for(
        std::chrono::seconds(2));  // the second run of a quick chain waits a little
    const auto next = server.poll();
    ASSERT_TRUE(next.ok()) << message_of(next.status());
    EXPECT_NE(next->run.run_id, first->run_id);
    ASSERT_TRUE(server.complete(*next, {complete_workflow()}).ok());
    EXPECT_THAT(server.violations(), IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
