#include "history/update.h"
#include "history/scenario_testing.h"
#include "history/update_family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using api::protocol::v1::Message;
using api::update::v1::Acceptance;
using api::update::v1::Rejection;
using api::update::v1::Response;
using Completed = service::RespondWorkflowTaskCompletedRequest;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr auto kAdmitted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;

api::update::v1::Request update_request(const std::string& id) {
    api::update::v1::Request request;
    request.mutable_meta()->set_update_id(id);
    request.mutable_input()->set_name("set");
    *request.mutable_input()->mutable_args() = payloads("arguments of " + id);
    return request;
}

template <typename Body>
Message message(const std::string& id, const std::string& update_id, const Body& body) {
    Message result;
    result.set_id(id);
    result.set_protocol_instance_id(update_id);
    result.mutable_body()->PackFrom(body);
    return result;
}

Message acceptance(const std::string& update_id, bool with_request = false) {
    Acceptance body;
    body.set_accepted_request_message_id(update_id + "/request");
    body.set_accepted_request_sequencing_event_id(5);
    if (with_request) *body.mutable_accepted_request() = update_request(update_id);
    return message(update_id + "/accept", update_id, body);
}

Message rejection(const std::string& update_id) {
    Rejection body;
    body.mutable_failure()->set_message("no");
    return message(update_id + "/reject", update_id, body);
}

Message response(const std::string& update_id) {
    Response body;
    body.mutable_meta()->set_update_id(update_id);
    *body.mutable_outcome()->mutable_success() = payloads("yes");
    return message(update_id + "/complete", update_id, body);
}

Command protocol_message(const std::string& message_id) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
    command.mutable_protocol_message_command_attributes()->set_message_id(message_id);
    return command;
}

Completed completed_with(std::vector<Message> messages, std::vector<Command> commands = {}) {
    Completed request;
    request.set_identity("worker");
    for (Message& each : messages) *request.add_messages() = std::move(each);
    for (Command& each : commands) *request.add_commands() = std::move(each);
    return request;
}

class UpdateTest : public ::testing::Test {
protected:
    /// A run whose first task is behind it: four events, and nothing to do.
    void start_idle() {
        scenario_.start();
        scenario_.run_task({});
    }
    void update(const std::string& id) {
        scenario_.apply(admit_update(scenario_.run(), update_request(id), scenario_.context()));
    }
    absl::Status try_update(const std::string& id) {
        return admit_update(scenario_.run(), update_request(id), scenario_.context()).status();
    }
    /// Completes the started task and keeps what the transition says of updates.
    CompletedWorkflowTask complete(const StartedWorkflowTask& task, const Completed& request) {
        auto applied =
            complete_workflow_task(scenario_.run(), task.token, request, scenario_.context());
        EXPECT_TRUE(applied.ok()) << message_of(applied.status());
        changes_ = applied->transition.updates;
        return scenario_.apply(std::move(applied));
    }
    const storage::WorkflowTask& task() const { return scenario_.run().header.task(); }
    std::optional<enums::UpdateWorkflowExecutionLifecycleStage> stage(const std::string& id) const {
        const auto progress = find_update(scenario_.run(), id);
        if (!progress) return std::nullopt;
        return progress->stage;
    }

    Scenario scenario_;
    std::vector<UpdateChange> changes_;
};

// ---- Speculative tasks -----------------------------------------------------------------------

TEST_F(UpdateTest, AnIdleRunGetsATaskOfWhichNothingIsWritten) {
    start_idle();
    auto admitted = admit_update(scenario_.run(), update_request("u"), scenario_.context());
    ASSERT_TRUE(admitted.ok());
    EXPECT_TRUE(admitted->transition.in_memory);
    scenario_.apply(std::move(admitted));
    EXPECT_EQ(task().kind(), storage::TASK_KIND_SPECULATIVE);
    EXPECT_EQ(stage("u"), kAdmitted);
    const StartedWorkflowTask started = scenario_.start_task();
    EXPECT_EQ(scenario_.last_event(), 4);
    EXPECT_THAT(started.synthesised, SizeIs(2));
    ASSERT_THAT(started.messages, SizeIs(1));
    EXPECT_EQ(started.messages[0].id(), "u/request");
    EXPECT_EQ(started.messages[0].protocol_instance_id(), "u");
    EXPECT_EQ(started.messages[0].event_id(), 5) << "just before the started event";
}

TEST_F(UpdateTest, ARejectedUpdateLeavesNoTraceAndTheWorkerGoesBack) {
    start_idle();
    update("u");
    const StartedWorkflowTask started = scenario_.start_task();
    const CompletedWorkflowTask reply = complete(started, completed_with({rejection("u")}));
    EXPECT_EQ(reply.reset_history_event, EventId(3));
    EXPECT_EQ(scenario_.last_event(), 4);
    EXPECT_EQ(task().kind(), storage::TASK_KIND_NONE);
    EXPECT_EQ(stage("u"), std::nullopt) << "an update of that name is a new one";
    ASSERT_THAT(changes_, SizeIs(1));
    EXPECT_EQ(changes_[0].kind, UpdateChange::Kind::kRejected);
    EXPECT_EQ(changes_[0].outcome.failure().message(), "no");
    // The next task is numbered and replayed as if that one had never been.
    scenario_.signal("s");
    EXPECT_EQ(scenario_.text_after(4), "5 WorkflowExecutionSignaled s\n6 WorkflowTaskScheduled\n");
}

TEST_F(UpdateTest, AnAcceptedUpdateIsWrittenWithItsTask) {
    start_idle();
    update("u");
    const StartedWorkflowTask started = scenario_.start_task();
    const CompletedWorkflowTask reply = complete(
        started, completed_with({acceptance("u"), response("u")},
                                {protocol_message("u/accept"), protocol_message("u/complete")}));
    EXPECT_EQ(reply.reset_history_event, kNoEvent);
    EXPECT_EQ(scenario_.text_after(4),
              "5 WorkflowTaskScheduled\n"
              "6 WorkflowTaskStarted\n"
              "7 WorkflowTaskCompleted\n"
              "8 WorkflowExecutionUpdateAccepted\n"
              "9 WorkflowExecutionUpdateCompleted\n");
    const auto& accepted =
        scenario_.history().events(7).workflow_execution_update_accepted_event_attributes();
    EXPECT_EQ(accepted.protocol_instance_id(), "u");
    EXPECT_EQ(accepted.accepted_request_message_id(), "u/request");
    EXPECT_EQ(accepted.accepted_request().input().name(), "set");
    const auto progress = find_update(scenario_.run(), "u");
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->stage, kCompleted);
    EXPECT_EQ(progress->completed_event, EventId(9));
    ASSERT_THAT(changes_, SizeIs(2));
    EXPECT_EQ(changes_[1].kind, UpdateChange::Kind::kCompleted) << "the last is the whole truth";
}

TEST_F(UpdateTest, ASignalMakesAScheduledSpeculativeTaskANormalOne) {
    start_idle();
    update("u");
    scenario_.signal("s");
    EXPECT_EQ(task().kind(), storage::TASK_KIND_NORMAL);
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
    EXPECT_EQ(scenario_.text_after(4), "5 WorkflowTaskScheduled\n6 WorkflowExecutionSignaled s\n");
    const StartedWorkflowTask started = scenario_.start_task();
    ASSERT_THAT(started.messages, SizeIs(1));
    EXPECT_EQ(started.messages[0].event_id(), 6);
}

TEST_F(UpdateTest, ASignalBehindAStartedSpeculativeTaskWritesTheTask) {
    start_idle();
    update("u");
    const StartedWorkflowTask started = scenario_.start_task();
    scenario_.signal("s");
    EXPECT_EQ(scenario_.text_after(4), "5 WorkflowTaskScheduled\n6 WorkflowTaskStarted\n");
    complete(started, completed_with({rejection("u")}));
    EXPECT_EQ(scenario_.text_after(6),
              "7 WorkflowTaskCompleted\n8 WorkflowExecutionSignaled s\n9 WorkflowTaskScheduled\n");
}

TEST_F(UpdateTest, ASpeculativeTaskThatNobodyTakesIsWrittenAfterFiveSeconds) {
    start_idle();
    update("u");
    EXPECT_EQ(speculative_deadline(scenario_.run()), scenario_.now() + seconds(5));
    scenario_.advance(seconds(5));
    EXPECT_EQ(scenario_.text_after(4),
              "5 WorkflowTaskScheduled\n6 WorkflowTaskTimedOut\n7 WorkflowTaskScheduled\n");
    EXPECT_EQ(task().kind(), storage::TASK_KIND_NORMAL);
    EXPECT_EQ(task().attempt(), 1);
    EXPECT_THAT(scenario_.start_task().messages, SizeIs(1));
}

TEST_F(UpdateTest, ASpeculativeTaskThatIsNotCompletedTimesOutAndTheUpdateIsSentAgain) {
    start_idle();
    update("u");
    scenario_.start_task();
    scenario_.advance(seconds(10));
    EXPECT_EQ(scenario_.text_after(4),
              "5 WorkflowTaskScheduled\n6 WorkflowTaskStarted\n7 WorkflowTaskTimedOut\n");
    EXPECT_EQ(task().kind(), storage::TASK_KIND_TRANSIENT);
    EXPECT_THAT(scenario_.start_task().messages, SizeIs(1));
}

TEST_F(UpdateTest, AWorkerThatFailsASpeculativeTaskLeavesItInTheHistory) {
    start_idle();
    update("u");
    const StartedWorkflowTask started = scenario_.start_task();
    service::RespondWorkflowTaskFailedRequest request;
    request.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
    request.set_identity("worker");
    scenario_.apply(
        fail_workflow_task(scenario_.run(), started.token, request, scenario_.context()));
    EXPECT_THAT(scenario_.text_after(4), HasSubstr("7 WorkflowTaskFailed"));
    EXPECT_EQ(stage("u"), kAdmitted) << "the next task brings it again";
    EXPECT_THAT(scenario_.start_task().messages, SizeIs(1));
}

TEST_F(UpdateTest, TerminatingForgetsAScheduledSpeculativeTaskAndFailsAStartedOne) {
    start_idle();
    update("u");
    scenario_.terminate();
    EXPECT_EQ(scenario_.text_after(4), "5 WorkflowExecutionTerminated \"enough\"\n");

    Scenario other;
    other.start();
    other.run_task({});
    other.apply(admit_update(other.run(), update_request("u"), other.context()));
    other.start_task();
    other.terminate();
    EXPECT_EQ(other.text_after(4),
              "5 WorkflowTaskScheduled\n"
              "6 WorkflowTaskStarted\n"
              "7 WorkflowTaskFailed ForceCloseCommand\n"
              "8 WorkflowExecutionTerminated \"enough\"\n");
}

TEST_F(UpdateTest, AHeartbeatWritesTheSpeculativeTaskAndDoesNotSendTheUpdateAgain) {
    start_idle();
    update("u");
    const StartedWorkflowTask started = scenario_.start_task();
    Completed request = completed_with({});
    request.set_force_create_new_workflow_task(true);
    request.set_return_new_workflow_task(true);
    const CompletedWorkflowTask reply = complete(started, request);
    ASSERT_TRUE(reply.next.has_value());
    EXPECT_THAT(reply.next->messages, IsEmpty());
    EXPECT_EQ(scenario_.text_after(4),
              "5 WorkflowTaskScheduled\n6 WorkflowTaskStarted\n7 WorkflowTaskCompleted\n"
              "8 WorkflowTaskScheduled\n9 WorkflowTaskStarted\n");
    EXPECT_EQ(stage("u"), kAdmitted);
}

TEST_F(UpdateTest, ARejectionIsWrittenWhereEventsInterleaveAndTheWorkerCanNotGoBack) {
    start_idle();
    // A first task that has completed, and an event that no task has shown.
    scenario_.signal("s");
    const StartedWorkflowTask second = scenario_.start_task();
    complete(second, completed_with({}, {start_timer("t", std::chrono::hours(1))}));
    const std::int64_t before = scenario_.last_event();
    Completed request = completed_with({rejection("u")});
    request.mutable_capabilities()->set_discard_speculative_workflow_task_with_events(true);
    update("u");
    complete(scenario_.start_task(), request);
    EXPECT_EQ(scenario_.last_event(), before) << "a worker that can go back does";
    update("u");
    complete(scenario_.start_task(), completed_with({rejection("u")}));
    EXPECT_EQ(scenario_.last_event(), before + 3) << "scheduled, started, completed";
}

// ---- Delivery --------------------------------------------------------------------------------

TEST_F(UpdateTest, AScheduledTaskTakesUpdatesAlongInTheOrderOfTheirArrival) {
    scenario_.start();
    update("b");
    update("a");
    EXPECT_EQ(task().kind(), storage::TASK_KIND_NORMAL);
    const StartedWorkflowTask started = scenario_.start_task();
    ASSERT_THAT(started.messages, SizeIs(2));
    EXPECT_EQ(started.messages[0].protocol_instance_id(), "b");
    EXPECT_EQ(started.messages[1].protocol_instance_id(), "a");
    EXPECT_EQ(started.messages[0].event_id(), 2);
}

TEST_F(UpdateTest, AnUpdateBehindAStartedTaskComesWithASpeculativeOne) {
    scenario_.start();
    const StartedWorkflowTask first = scenario_.start_task();
    update("u");
    Completed request = completed_with({});
    request.set_return_new_workflow_task(true);
    const CompletedWorkflowTask reply = complete(first, request);
    EXPECT_FALSE(reply.next.has_value());
    ASSERT_TRUE(reply.speculative_next);
    const StartedWorkflowTask next = scenario_.apply(
        start_next_speculative_task(scenario_.run(), "worker", scenario_.context()));
    EXPECT_EQ(scenario_.last_event(), 4);
    ASSERT_THAT(next.messages, SizeIs(1));
    complete(next, completed_with({rejection("u")}));
    EXPECT_EQ(scenario_.last_event(), 4);
}

TEST_F(UpdateTest, AWorkerThatDoesNotKnowUpdatesHasThemRejected) {
    start_idle();
    update("u");
    const CompletedWorkflowTask reply = complete(scenario_.start_task(), completed_with({}));
    EXPECT_EQ(reply.reset_history_event, EventId(3));
    ASSERT_THAT(changes_, SizeIs(1));
    EXPECT_EQ(changes_[0].kind, UpdateChange::Kind::kRejected);
    EXPECT_EQ(changes_[0].outcome.failure().application_failure_info().type(), "UnprocessedUpdate");
}

TEST_F(UpdateTest, ATaskWhosePollHasGoneIsOfferedAgainWithItsUpdate) {
    start_idle();
    update("u");
    const StartedWorkflowTask started = scenario_.start_task();
    const EventId withdrawn =
        scenario_.apply(return_workflow_task(scenario_.run(), started.token, scenario_.context()));
    EXPECT_EQ(withdrawn, kNoEvent);
    EXPECT_THAT(scenario_.start_task().messages, SizeIs(1));
    EXPECT_EQ(scenario_.last_event(), 4);
}

TEST_F(UpdateTest, TheSameIdIsTheSameUpdate) {
    start_idle();
    update("u");
    auto again = admit_update(scenario_.run(), update_request("u"), scenario_.context());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->transition.empty);
    complete(scenario_.start_task(), completed_with({acceptance("u"), response("u")}));
    again = admit_update(scenario_.run(), update_request("u"), scenario_.context());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->transition.empty);
}

// ---- What workers may not say ----------------------------------------------------------------

struct BadAnswer {
    std::string name;
    std::vector<Message> messages;
    std::vector<Command> commands;
    std::string error;
};

class BadAnswerTest : public UpdateTest, public ::testing::WithParamInterface<BadAnswer> {};

TEST_P(BadAnswerTest, FailsTheTaskAndTheUpdateThatItBrought) {
    start_idle();
    update("u");
    const StartedWorkflowTask started = scenario_.start_task();
    const CompletedWorkflowTask reply =
        complete(started, completed_with(GetParam().messages, GetParam().commands));
    EXPECT_EQ(reply.refusal.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(message_of(reply.refusal), HasSubstr(GetParam().error));
    EXPECT_EQ(scenario_.text_after(4),
              "5 WorkflowTaskScheduled\n"
              "6 WorkflowTaskStarted\n"
              "7 WorkflowTaskFailed BadUpdateWorkflowExecutionMessage\n");
    ASSERT_THAT(changes_, SizeIs(1));
    EXPECT_EQ(changes_[0].kind, UpdateChange::Kind::kAborted);
    EXPECT_EQ(changes_[0].error.code(), absl::StatusCode::kFailedPrecondition);
}

INSTANTIATE_TEST_SUITE_P(
    Updates, BadAnswerTest,
    ::testing::Values(
        BadAnswer{"AcceptedTwice",
                  {acceptance("u"), acceptance("u")},
                  {},
                  "invalid state transition attempted for Update u: received *update.Acceptance "
                  "message while in state ProvisionallyAccepted"},
        BadAnswer{"CompletedUnaccepted",
                  {response("u")},
                  {},
                  "received *update.Response message while in state Sent"},
        BadAnswer{"RejectedThenAccepted",
                  {rejection("u"), acceptance("u")},
                  {},
                  "received *update.Acceptance message while in state ProvisionallyCompleted"},
        BadAnswer{"Unknown", {acceptance("x")}, {}, "update x wasn't found on the server"},
        BadAnswer{"AbsentMessage",
                  {acceptance("u")},
                  {protocol_message("y")},
                  "ProtocolMessageCommand referenced absent message ID y"},
        BadAnswer{"NoMessageId",
                  {},
                  {protocol_message("")},
                  "MessageID is not set on ProtocolMessageCommand."},
        BadAnswer{"WrongOrder",
                  {acceptance("u"), response("u")},
                  {protocol_message("u/complete"), protocol_message("u/accept")},
                  "received *update.Response message while in state Sent"},
        BadAnswer{"NoSequence",
                  {message("m", "u", Acceptance())},
                  {},
                  "invalid *update.Acceptance: accepted_request_sequencing_event_id is not set"},
        BadAnswer{"ForeignProtocol",
                  {message("m", "u", api::common::v1::Payload())},
                  {},
                  "unsupported protocol type temporal.api.common.v1"}),
    [](const auto& each) { return each.param.name; });

TEST_F(UpdateTest, AWorkerThatSendsTheRequestBackResurrectsALostUpdate) {
    start_idle();
    scenario_.signal("s");
    complete(scenario_.start_task(), completed_with({acceptance("u", true), response("u")}));
    EXPECT_EQ(stage("u"), kCompleted);
    EXPECT_THAT(scenario_.text_after(8), HasSubstr("WorkflowExecutionUpdateAccepted"));
}

// ---- The end of a run ------------------------------------------------------------------------

TEST_F(UpdateTest, ClosingAbortsWhatNobodyAcceptedAndFailsWhatSomebodyDid) {
    start_idle();
    update("accepted");
    complete(scenario_.start_task(), completed_with({acceptance("accepted")}));
    EXPECT_EQ(stage("accepted"), kAccepted);
    update("sent");
    const StartedWorkflowTask started = scenario_.start_task();
    update("admitted");
    complete(started, completed_with({}, {complete_workflow()}));
    EXPECT_FALSE(scenario_.run().is_open());
    ASSERT_THAT(changes_, SizeIs(3));
    EXPECT_TRUE(is_aborted_by_close(changes_[0].error));
    EXPECT_TRUE(is_aborted_by_close(changes_[1].error));
    EXPECT_EQ(changes_[2].update_id, "accepted");
    EXPECT_EQ(changes_[2].outcome.failure().application_failure_info().type(),
              "AcceptedUpdateCompletedWorkflow");
    EXPECT_EQ(stage("accepted"), kCompleted);
    EXPECT_EQ(stage("sent"), std::nullopt);
    EXPECT_TRUE(try_update("accepted").ok()) << "its outcome can still be asked for";
    EXPECT_EQ(try_update("sent").code(), absl::StatusCode::kNotFound);
}

TEST_F(UpdateTest, AnUnacceptedUpdateIsSentOnWhenTheRunContinuesAsNew) {
    start_idle();
    update("u");
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
    command.mutable_continue_as_new_workflow_execution_command_attributes();
    complete(scenario_.start_task(), completed_with({}, {command}));
    ASSERT_THAT(changes_, SizeIs(1));
    EXPECT_EQ(changes_[0].error.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(UpdateTest, AWorkerMayRejectWithTheTaskThatClosesTheRun) {
    start_idle();
    update("u");
    complete(scenario_.start_task(), completed_with({rejection("u")}, {complete_workflow()}));
    ASSERT_THAT(changes_, SizeIs(1));
    EXPECT_EQ(changes_[0].kind, UpdateChange::Kind::kRejected);
}

// ---- Refused ---------------------------------------------------------------------------------

TEST_F(UpdateTest, LimitsAreSaidEarly) {
    start_idle();
    scenario_.limits().updates_in_flight = 1;
    update("u");
    const absl::Status flight = try_update("v");
    EXPECT_EQ(flight.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(message_of(flight),
              "limit on number of concurrent in-flight updates has been reached (1)");
    EXPECT_TRUE(try_update("u").ok()) << "one that is known is not one more";
    scenario_.limits().updates_in_flight = 10;
    scenario_.limits().updates_per_run = 1;
    EXPECT_EQ(try_update("v").code(), absl::StatusCode::kFailedPrecondition);
    scenario_.limits().updates_per_run = 100;
    scenario_.limits().update_bytes_in_flight = 10;
    EXPECT_EQ(try_update("v").code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(UpdateTest, ManyUpdatesSuggestToContinueAsNew) {
    start_idle();
    scenario_.limits().updates_per_run = 2;
    scenario_.limits().suggest_updates_share = 0.5;
    update("u");
    scenario_.start_task();
    EXPECT_TRUE(task().suggest_continue_as_new());
    EXPECT_EQ(task().suggest_reasons(0), enums::SUGGEST_CONTINUE_AS_NEW_REASON_TOO_MANY_UPDATES);
}

TEST_F(UpdateTest, ARunWhoseTaskKeepsFailingTakesNoUpdate) {
    scenario_.start();
    service::RespondWorkflowTaskFailedRequest request;
    for (int i = 0; i < 2; ++i) {
        const StartedWorkflowTask started = scenario_.start_task();
        scenario_.apply(
            fail_workflow_task(scenario_.run(), started.token, request, scenario_.context()));
    }
    const absl::Status status = try_update("u");
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(message_of(status), HasSubstr("Workflow Task in failed state"));
}

// ---- Reset -----------------------------------------------------------------------------------

TEST_F(UpdateTest, AReappliedUpdateIsAcceptedWithoutItsRequest) {
    start_idle();
    const Context context = scenario_.context();
    Builder builder(scenario_.run(), context);
    reapply_update(builder, update_request("u"), enums::UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY);
    reapply_update(builder, update_request("u"), enums::UPDATE_ADMITTED_EVENT_ORIGIN_REAPPLY);
    builder.schedule_workflow_task_if_needed();
    scenario_.apply(absl::StatusOr<Applied<None>>(Applied<None>{std::move(builder).finish(), {}}));
    EXPECT_EQ(scenario_.text_after(4),
              "5 WorkflowExecutionUpdateAdmitted\n6 WorkflowTaskScheduled\n");
    EXPECT_EQ(stage("u"), kAdmitted);
    const StartedWorkflowTask started = scenario_.start_task();
    EXPECT_THAT(started.messages, IsEmpty()) << "the event tells the worker";
    complete(started, completed_with({acceptance("u"), response("u")}));
    EXPECT_EQ(stage("u"), kCompleted);
    EXPECT_FALSE(scenario_.history()
                     .events(8)
                     .workflow_execution_update_accepted_event_attributes()
                     .has_accepted_request());
}

TEST_F(UpdateTest, CopiedEventsGiveTheSameRows) {
    start_idle();
    update("done");
    update("open");
    complete(scenario_.start_task(),
             completed_with({acceptance("done"), response("done"), acceptance("open")}));
    Table<storage::UpdateRow> copy;
    for (const HistoryEvent& event : scenario_.history().events()) restore_update(copy, event);
    ASSERT_EQ(copy.size(), scenario_.run().updates.size());
    for (const auto& [id, row] : copy.rows()) {
        EXPECT_EQ(row.DebugString(), scenario_.run().updates.find(id)->DebugString());
    }
}

// ---- Callbacks -------------------------------------------------------------------------------

class UpdateCallbackTest : public UpdateTest {
protected:
    UpdateCallbackTest() { scenario_.limits().update_callbacks = true; }
    static api::update::v1::Request request_from(const std::string& caller) {
        api::update::v1::Request request = update_request("u");
        request.set_request_id(caller);
        request.add_completion_callbacks()->mutable_nexus()->set_url("https://" + caller);
        return request;
    }
    void update_from(const std::string& caller) {
        scenario_.apply(admit_update(scenario_.run(), request_from(caller), scenario_.context()));
    }
    std::vector<std::string> callbacks(storage::CallbackRow::State state) const {
        std::vector<std::string> urls;
        for (const auto& [id, row] : scenario_.run().callbacks.rows()) {
            EXPECT_EQ(row.update_id(), "u");
            if (row.state() == state) urls.push_back(row.callback().nexus().url());
        }
        return urls;
    }
};

TEST_F(UpdateCallbackTest, WhoJoinsAnUpdateIsWrittenDownOnceItIsAccepted) {
    start_idle();
    update_from("first");
    update_from("second");
    update_from("second");
    complete(scenario_.start_task(), completed_with({acceptance("u")}));
    EXPECT_EQ(scenario_.text_after(6),
              "7 WorkflowTaskCompleted\n8 WorkflowExecutionUpdateAccepted\n"
              "9 WorkflowExecutionOptionsUpdated\n");
    EXPECT_THAT(callbacks(storage::CallbackRow::STATE_STANDBY),
                ::testing::ElementsAre("https://first", "https://second"));
}

TEST_F(UpdateCallbackTest, WhoJoinsAnAcceptedUpdateIsWrittenDownAtOnceAndOnce) {
    start_idle();
    update_from("first");
    complete(scenario_.start_task(), completed_with({acceptance("u")}));
    update_from("first");
    update_from("second");
    update_from("second");
    EXPECT_THAT(callbacks(storage::CallbackRow::STATE_STANDBY), SizeIs(2));
    EXPECT_EQ(scenario_.text_after(8), "9 WorkflowExecutionOptionsUpdated\n");
}

TEST_F(UpdateCallbackTest, AreSentWhenTheUpdateCompletes) {
    start_idle();
    update_from("first");
    complete(scenario_.start_task(), completed_with({acceptance("u"), response("u")}));
    EXPECT_THAT(callbacks(storage::CallbackRow::STATE_SCHEDULED), SizeIs(1));
    EXPECT_THAT(scenario_.outbox(), SizeIs(1));
}

TEST_F(UpdateCallbackTest, AreSentWhenTheRunClosesUnderTheUpdate) {
    start_idle();
    update_from("first");
    complete(scenario_.start_task(), completed_with({acceptance("u")}));
    scenario_.terminate();
    EXPECT_THAT(callbacks(storage::CallbackRow::STATE_SCHEDULED), SizeIs(1));
    EXPECT_EQ(scenario_.run().callbacks.rows().begin()->second.outcome_event_id(), 0);
}

TEST_F(UpdateCallbackTest, AreIgnoredWhereTheyAreNotOffered) {
    scenario_.limits().update_callbacks = false;
    start_idle();
    update_from("first");
    complete(scenario_.start_task(), completed_with({acceptance("u")}));
    update_from("second");
    EXPECT_TRUE(scenario_.run().callbacks.empty());
}

}  // namespace
}  // namespace stele::history::testing
