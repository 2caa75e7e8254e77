#include "shard/server_testing.h"

#include "temporal/api/errordetails/v1/message.pb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::shard::testing {
namespace {

namespace enums = api::enums::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kAdmitted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
using Stage = enums::UpdateWorkflowExecutionLifecycleStage;

service::UpdateWorkflowExecutionRequest update_request(const std::string& id,
                                                       Stage stage = kCompleted) {
    service::UpdateWorkflowExecutionRequest request;
    request.mutable_workflow_execution()->set_workflow_id("w");
    request.mutable_request()->mutable_meta()->set_update_id(id);
    request.mutable_request()->mutable_input()->set_name("set");
    request.mutable_wait_policy()->set_lifecycle_stage(stage);
    return request;
}

Answer<UpdateReply> update(TestServer& server, const std::string& id, Stage stage = kCompleted,
                           const CallScopePtr& scope = nullptr) {
    auto answer = server.send<UpdateReply>([&](Reply<UpdateReply> reply) {
        server.engine().update_workflow(server.space(), update_request(id, stage), scope,
                                        std::move(reply));
    });
    server.sim().run_for(milliseconds(50));
    return answer;
}

Answer<UpdateReply> poll_update(TestServer& server, const std::string& id,
                                Stage stage = kCompleted, const std::string& run_id = "") {
    service::PollWorkflowExecutionUpdateRequest request;
    request.mutable_update_ref()->mutable_workflow_execution()->set_workflow_id("w");
    request.mutable_update_ref()->mutable_workflow_execution()->set_run_id(run_id);
    request.mutable_update_ref()->set_update_id(id);
    request.mutable_wait_policy()->set_lifecycle_stage(stage);
    auto answer = server.send<UpdateReply>([&](Reply<UpdateReply> reply) {
        server.engine().poll_update(server.space(), request, nullptr, std::move(reply));
    });
    server.settle();
    return answer;
}

template <typename Body>
void say(service::RespondWorkflowTaskCompletedRequest& request, const std::string& update_id,
         const Body& body) {
    auto& message = *request.add_messages();
    message.set_id(update_id + "/" + std::to_string(request.messages_size()));
    message.set_protocol_instance_id(update_id);
    message.mutable_body()->PackFrom(body);
}

void accept(service::RespondWorkflowTaskCompletedRequest& request, const std::string& update_id) {
    api::update::v1::Acceptance body;
    body.set_accepted_request_message_id(update_id + "/request");
    body.set_accepted_request_sequencing_event_id(1);
    say(request, update_id, body);
}

void respond(service::RespondWorkflowTaskCompletedRequest& request, const std::string& update_id) {
    api::update::v1::Response body;
    body.mutable_meta()->set_update_id(update_id);
    body.mutable_outcome()->mutable_success()->add_payloads()->set_data("outcome");
    say(request, update_id, body);
}

void reject(service::RespondWorkflowTaskCompletedRequest& request, const std::string& update_id) {
    api::update::v1::Rejection body;
    body.mutable_failure()->set_message("no");
    say(request, update_id, body);
}

using Change = std::function<void(service::RespondWorkflowTaskCompletedRequest&)>;

/// A worker takes the next task and says something about updates.
CompletedTaskReply run_task(TestServer& server, const Change& change,
                            const std::vector<api::command::v1::Command>& commands = {}) {
    const auto task = server.poll();
    EXPECT_TRUE(task.ok()) << message_of(task.status());
    if (!task.ok()) return {};
    auto completed = server.complete(*task, commands, change);
    EXPECT_TRUE(completed.ok()) << message_of(completed.status());
    server.settle();
    return completed.ok() ? *std::move(completed) : CompletedTaskReply();
}

class UpdatesTest : public ::testing::Test {
protected:
    void start_idle() {
        ASSERT_TRUE(server_.start("w").ok());
        run_task(server_, {});
    }
    TestServer server_;
};

TEST_F(UpdatesTest, AnUpdateIsAnsweredWithItsOutcome) {
    start_idle();
    const auto answer = update(server_, "u");
    EXPECT_FALSE(answer.arrived());
    run_task(server_, [](auto& request) {
        accept(request, "u");
        respond(request, "u");
    });
    ASSERT_TRUE(answer.arrived());
    ASSERT_TRUE(answer.get().ok()) << message_of(answer.get().status());
    EXPECT_EQ(answer.get()->stage, kCompleted);
    EXPECT_EQ(answer.get()->outcome->success().payloads(0).data(), "outcome");
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(UpdatesTest, ARejectedUpdateLeavesTheStoreAsItWas) {
    start_idle();
    const std::string before = server_.events("w");
    const auto answer = update(server_, "u");
    const CompletedTaskReply reply =
        run_task(server_, [](auto& request) { reject(request, "u"); });
    EXPECT_EQ(reply.reset_history_event, EventId(3));
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get()->stage, kCompleted);
    EXPECT_EQ(answer.get()->outcome->failure().message(), "no");
    EXPECT_EQ(server_.events("w"), before);
    EXPECT_EQ(poll_update(server_, "u").get().status().code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(UpdatesTest, WhoWaitsForAcceptanceIsNotKeptWaitingForTheOutcome) {
    start_idle();
    const auto accepted = update(server_, "u", kAccepted);
    const auto completed = poll_update(server_, "u", kCompleted);
    run_task(server_, [](auto& request) { accept(request, "u"); });
    ASSERT_TRUE(accepted.arrived());
    EXPECT_EQ(accepted.get()->stage, kAccepted);
    EXPECT_FALSE(accepted.get()->outcome.has_value());
    EXPECT_FALSE(completed.arrived());
    ASSERT_TRUE(server_.signal("w", "s").ok());
    run_task(server_, [](auto& request) { respond(request, "u"); });
    ASSERT_TRUE(completed.arrived());
    EXPECT_TRUE(completed.get()->outcome->has_success());
}

TEST_F(UpdatesTest, TheServersWaitEndsWithTheStageThatIsReached) {
    start_idle();
    const auto answer = update(server_, "u");
    server_.sim().run_for(seconds(21));
    ASSERT_TRUE(answer.arrived());
    ASSERT_TRUE(answer.get().ok());
    EXPECT_EQ(answer.get()->stage, kAdmitted);
    EXPECT_FALSE(server_.poll().ok()) << "nobody took the speculative task in time";
    run_task(server_, [](auto& request) { accept(request, "u"); });
    const auto again = update(server_, "u");
    server_.sim().run_for(seconds(21));
    ASSERT_TRUE(again.arrived());
    EXPECT_EQ(again.get()->stage, kAccepted);
}

TEST_F(UpdatesTest, AnUpdateWhoseSpeculativeTaskIsForgottenByMatchingComesWithAnother) {
    start_idle();
    const auto answer = update(server_, "u");
    ASSERT_THAT(server_.offers().tasks, SizeIs(1));
    server_.offers().tasks.clear();
    server_.sim().run_for(seconds(6));
    run_task(server_, [](auto& request) {
        accept(request, "u");
        respond(request, "u");
    });
    ASSERT_TRUE(answer.arrived());
    EXPECT_TRUE(answer.get()->outcome->has_success());
    EXPECT_THAT(server_.events("w"), HasSubstr("WORKFLOW_TASK_TIMED_OUT"));
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(UpdatesTest, ACompletedUpdateIsKnownAfterARestartAndAfterTheClose) {
    start_idle();
    const auto answer = update(server_, "u");
    run_task(server_, [](auto& request) {
        accept(request, "u");
        respond(request, "u");
    });
    ASSERT_TRUE(answer.arrived());
    server_.lose_power();
    const auto repeated = update(server_, "u");
    server_.settle();
    ASSERT_TRUE(repeated.arrived()) << "the same id is the same update";
    EXPECT_TRUE(repeated.get()->outcome->has_success());
    ASSERT_TRUE(server_.terminate("w").ok());
    const auto after = poll_update(server_, "u");
    ASSERT_TRUE(after.arrived());
    EXPECT_TRUE(after.get()->outcome->has_success());
    EXPECT_THAT(server_.violations(), IsEmpty());
}

TEST_F(UpdatesTest, AnAcceptedUpdateSurvivesARestartAndTheNextTaskCompletesIt) {
    start_idle();
    const auto answer = update(server_, "u", kAccepted);
    run_task(server_, [](auto& request) { accept(request, "u"); });
    ASSERT_TRUE(answer.arrived());
    server_.lose_power();
    const auto outcome = poll_update(server_, "u");
    ASSERT_TRUE(server_.signal("w", "s").ok());
    run_task(server_, [](auto& request) { respond(request, "u"); });
    ASSERT_TRUE(outcome.arrived());
    EXPECT_TRUE(outcome.get()->outcome->has_success());
}

TEST_F(UpdatesTest, WhoWaitsWhenTheServerGoesDownIsToldToTryAgain) {
    start_idle();
    const auto answer = update(server_, "u");
    bool quiet = false;
    server_.engine().drain([&quiet] { quiet = true; });
    server_.settle();
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kUnavailable);
    EXPECT_TRUE(quiet);
}

TEST_F(UpdatesTest, ACallerWhoGoesAwayLeavesTheUpdateBehind) {
    start_idle();
    const auto caller = std::make_shared<Caller>(server_.now() + seconds(5));
    const auto answer = update(server_, "u", kCompleted, caller);
    caller->cancel();
    server_.settle();
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kCancelled);
    run_task(server_, [](auto& request) {
        accept(request, "u");
        respond(request, "u");
    });
    EXPECT_TRUE(poll_update(server_, "u").get()->outcome->has_success());
}

TEST_F(UpdatesTest, ClosingEndsEveryWait) {
    start_idle();
    const auto open = update(server_, "accepted", kCompleted);
    run_task(server_, [](auto& request) { accept(request, "accepted"); });
    const auto lost = update(server_, "lost");
    ASSERT_TRUE(server_.terminate("w").ok());
    server_.settle();
    ASSERT_TRUE(open.arrived());
    EXPECT_EQ(open.get()->outcome->failure().application_failure_info().type(),
              "AcceptedUpdateCompletedWorkflow");
    ASSERT_TRUE(lost.arrived());
    EXPECT_EQ(lost.get().status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(message_of(lost.get().status()),
              "workflow update was aborted by closing workflow");
}

TEST_F(UpdatesTest, AnUpdateThatComesWhileATaskRunsIsHandedOverWithTheNext) {
    ASSERT_TRUE(server_.start("w").ok());
    const auto first = server_.poll();
    ASSERT_TRUE(first.ok());
    const auto answer = update(server_, "u");
    auto reply = server_.complete(
        *first, {}, [](auto& request) { request.set_return_new_workflow_task(true); });
    ASSERT_TRUE(reply.ok());
    ASSERT_TRUE(reply->next.has_value());
    ASSERT_THAT(reply->next->task.messages, SizeIs(1));
    ASSERT_TRUE(server_
                    .complete(*reply->next, {},
                              [](auto& request) {
                                  accept(request, "u");
                                  respond(request, "u");
                              })
                    .ok());
    server_.settle();
    ASSERT_TRUE(answer.arrived());
    EXPECT_TRUE(answer.get()->outcome->has_success());
    EXPECT_THAT(server_.violations(), IsEmpty());
}

// ---- Update-with-start -----------------------------------------------------------------------

Answer<UpdateWithStartReply> update_with_start(
    TestServer& server, const std::string& update_id,
    enums::WorkflowIdConflictPolicy policy = enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    const std::string& request_id = "") {
    UpdateWithStartRequest request;
    request.start = server.start_request("w", request_id);
    request.start.set_workflow_id_conflict_policy(policy);
    request.update = update_request(update_id);
    auto answer = server.send<UpdateWithStartReply>([&](Reply<UpdateWithStartReply> reply) {
        server.engine().update_with_start(server.space(), request, nullptr, std::move(reply));
    });
    server.sim().run_for(milliseconds(50));
    return answer;
}

TEST_F(UpdatesTest, UpdateWithStartBringsTheUpdateWithTheFirstTask) {
    const auto answer = update_with_start(server_, "u");
    run_task(server_, [](auto& request) {
        accept(request, "u");
        respond(request, "u");
    });
    ASSERT_TRUE(answer.arrived());
    ASSERT_TRUE(answer.get()->start.ok());
    EXPECT_TRUE(answer.get()->start->started);
    ASSERT_TRUE(answer.get()->update.ok());
    EXPECT_TRUE(answer.get()->update->outcome->has_success());
}

TEST_F(UpdatesTest, UpdateWithStartUsesWhatRunsAndKnowsItsUpdatesAgain) {
    start_idle();
    const auto first = update_with_start(server_, "u");
    run_task(server_, [](auto& request) {
        accept(request, "u");
        respond(request, "u");
    });
    ASSERT_TRUE(first.arrived());
    EXPECT_FALSE(first.get()->start->started);
    ASSERT_TRUE(server_.terminate("w").ok());
    const auto again = update_with_start(server_, "u");
    server_.settle();
    ASSERT_TRUE(again.arrived()) << "the outcome is there, although the run has closed";
    EXPECT_EQ(again.get()->start->run_id, first.get()->start->run_id);
    EXPECT_TRUE(again.get()->update->outcome->has_success());
}

TEST_F(UpdatesTest, UpdateWithStartSaysWhichPartFailed) {
    start_idle();
    const auto answer =
        update_with_start(server_, "u", enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL, "another start");
    server_.settle();
    ASSERT_TRUE(answer.arrived());
    EXPECT_EQ(answer.get()->start.status().code(), absl::StatusCode::kAlreadyExists);
    EXPECT_EQ(answer.get()->update.status(), operation_not_tried());
}

TEST_F(UpdatesTest, UpdateWithStartTriesOnceMoreWhenTheRunClosesUnderIt) {
    start_idle();
    const auto answer = update_with_start(
        server_, "u", enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, "another start");
    run_task(server_, {}, {complete_workflow()});
    EXPECT_FALSE(answer.arrived()) << "another run has been started";
    run_task(server_, [](auto& request) {
        accept(request, "u");
        respond(request, "u");
    });
    ASSERT_TRUE(answer.arrived());
    ASSERT_TRUE(answer.get()->start.ok());
    EXPECT_TRUE(answer.get()->start->started);
    EXPECT_TRUE(answer.get()->update->outcome->has_success());
}

}  // namespace
}  // namespace stele::shard::testing
