#include "history/nexus_family.h"
#include "history/scenario_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using namespace testing;
using Kind = NexusOutcome::Kind;
using std::chrono::seconds;
using ::testing::HasSubstr;

class OneEndpoint final : public NexusEndpoints {
public:
    OneEndpoint() {
        row.set_id("endpoint-id");
        row.set_name("endpoint");
        row.set_task_queue("handlers");
    }
    std::optional<storage::NexusEndpointRow> by_name(const std::string& name) const override {
        return name == row.name() ? std::optional(row) : std::nullopt;
    }
    std::optional<storage::NexusEndpointRow> by_id(const std::string& id) const override {
        return id == row.id() ? std::optional(row) : std::nullopt;
    }
    storage::NexusEndpointRow row;
};

Command schedule_nexus(const std::string& endpoint = "endpoint") {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION);
    auto& attributes = *command.mutable_schedule_nexus_operation_command_attributes();
    attributes.set_endpoint(endpoint);
    attributes.set_service("service");
    attributes.set_operation("operation");
    attributes.mutable_input()->set_data("input");
    return command;
}

Command cancel_nexus(std::int64_t scheduled) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION);
    command.mutable_request_cancel_nexus_operation_command_attributes()->set_scheduled_event_id(
        scheduled);
    return command;
}

Command signal_with_start_operation(
    const std::function<void(service::SignalWithStartWorkflowExecutionRequest&)>& change = {}) {
    service::SignalWithStartWorkflowExecutionRequest request;
    request.set_workflow_id("target");
    request.set_signal_name("signal");
    request.mutable_workflow_type()->set_name("type");
    request.mutable_task_queue()->set_name("queue");
    if (change) change(request);
    Command command = schedule_nexus(kSystemEndpoint);
    auto& attributes = *command.mutable_schedule_nexus_operation_command_attributes();
    attributes.set_service("temporal.api.workflowservice.v1.WorkflowService");
    attributes.set_operation("SignalWithStartWorkflowExecution");
    attributes.mutable_input()->set_data(request.SerializeAsString());
    (*attributes.mutable_input()->mutable_metadata())["encoding"] = "binary/protobuf";
    return command;
}

NexusOutcome outcome(Kind kind) {
    NexusOutcome result;
    result.kind = kind;
    result.operation_token = "token";
    result.result.set_data("result");
    result.failure = application_failure("went wrong");
    return result;
}

class NexusTest : public ::testing::Test, protected Scenario {
protected:
    NexusTest() { set_endpoints(&endpoint_); }

    /// A run whose event 5 has scheduled an operation.
    void schedule(const std::function<void(Command&)>& change = {}) {
        start();
        Command command = schedule_nexus();
        if (change) change(command);
        run_task({command});
    }
    void answer(Kind kind) {
        apply(record_nexus_start(run(), EventId(5), outcome(kind), context()));
    }
    std::string refusal_of(const Command& command) {
        Scenario fresh;
        fresh.set_endpoints(&endpoint_);
        fresh.limits() = limits();
        fresh.start();
        return message_of(fresh.run_task({command}).refusal);
    }
    const storage::NexusOperationRow& row() { return *run().nexus_operations.find(5); }
    NexusMessage message() { return nexus_start_message(run(), EventId(5), context()); }

    OneEndpoint endpoint_;
};

auto& attributes_of(Command& command) {
    return *command.mutable_schedule_nexus_operation_command_attributes();
}

TEST_F(NexusTest, AnOperationGoesOutAndItsResultComesBackOnce) {
    schedule();
    EXPECT_EQ(text_after(4), "5 NexusOperationScheduled\n");
    ASSERT_EQ(outbox().size(), 1U);
    EXPECT_EQ(outbox()[0].kind(), storage::OutboxRow::KIND_START_NEXUS);
    const auto& scheduled = history().events(4).nexus_operation_scheduled_event_attributes();
    EXPECT_EQ(scheduled.endpoint_id(), "endpoint-id");
    EXPECT_EQ(scheduled.request_id(), row().request_id());

    const NexusMessage sent = message();
    const NexusCall& call = std::get<NexusCall>(sent);
    EXPECT_EQ(call.request.start_operation().request_id(), row().request_id());
    EXPECT_EQ(call.request.start_operation().payload().data(), "input");
    EXPECT_THAT(call.request.start_operation().links(0).url(),
                HasSubstr("eventID=5&eventType=NexusOperationScheduled"));
    answer(Kind::kSucceeded);
    EXPECT_EQ(text_after(5), "6 NexusOperationCompleted\n7 WorkflowTaskScheduled\n");
    EXPECT_EQ(history().events(5).nexus_operation_completed_event_attributes().result().data(),
              "result");
    EXPECT_TRUE(record_nexus_start(run(), EventId(5), outcome(Kind::kSucceeded), context())
                    ->transition.empty)
        << "the outbox may deliver twice";
}

TEST_F(NexusTest, AFailureNamesTheOperationThatFailed) {
    schedule();
    answer(Kind::kFailed);
    const auto& failure = history().events(5).nexus_operation_failed_event_attributes().failure();
    EXPECT_EQ(failure.message(), "nexus operation completed unsuccessfully");
    EXPECT_EQ(failure.nexus_operation_execution_failure_info().scheduled_event_id(), 5);
    EXPECT_EQ(failure.cause().message(), "went wrong");
}

TEST_F(NexusTest, AnOutcomeWaitsForTheWorkflowTaskThatRuns) {
    schedule();
    signal("go");
    start_task();
    answer(Kind::kSucceeded);
    complete_task({});
    EXPECT_EQ(text_after(8),
              "9 WorkflowTaskCompleted\n10 NexusOperationCompleted\n11 WorkflowTaskScheduled\n");
}

TEST_F(NexusTest, ACallThatFailsIsMadeAgainLaterAndLater) {
    schedule();
    answer(Kind::kRetry);
    EXPECT_EQ(last_event(), 5) << "attempts leave no events";
    EXPECT_EQ(row().attempt(), 2);
    EXPECT_EQ(row().last_failure().message(), "went wrong");
    advance(std::chrono::milliseconds(899));
    EXPECT_EQ(outbox().size(), 1U) << "a tenth is left to chance";
    advance(std::chrono::milliseconds(1));
    ASSERT_EQ(outbox().size(), 2U);
    EXPECT_EQ(outbox()[1].kind(), storage::OutboxRow::KIND_START_NEXUS);
    answer(Kind::kRetry);
    advance(std::chrono::milliseconds(1'799));
    EXPECT_EQ(outbox().size(), 2U);
    advance(std::chrono::milliseconds(1));
    EXPECT_EQ(outbox().size(), 3U);
}

TEST_F(NexusTest, AnOperationThatIsOutOfTimeEnds) {
    schedule([](Command& command) {
        *attributes_of(command).mutable_schedule_to_close_timeout() = to_proto(seconds(20));
    });
    advance(seconds(20));
    EXPECT_EQ(text_after(5), "6 NexusOperationTimedOut\n7 WorkflowTaskScheduled\n");
    const auto& failure =
        history().events(5).nexus_operation_timed_out_event_attributes().failure();
    EXPECT_EQ(failure.cause().timeout_failure_info().timeout_type(),
              enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
}

TEST_F(NexusTest, NoCallIsMadeWithTooLittleTimeLeft) {
    schedule([](Command& command) {
        *attributes_of(command).mutable_schedule_to_start_timeout() = to_proto(seconds(2));
    });
    EXPECT_TRUE(std::holds_alternative<NexusCall>(message()));
    set_now(now() + seconds(1));
    const NexusMessage late = message();
    EXPECT_EQ(std::get<NexusOutcome>(late).kind, Kind::kTimedOut);
}

TEST_F(NexusTest, AHandlerThatGoesOnByItselfIsAskedToStopWhenItHasStarted) {
    schedule();
    signal("go");
    run_task({cancel_nexus(5)});
    EXPECT_EQ(outbox().size(), 1U) << "there is no token to name the operation by";
    answer(Kind::kStarted);
    ASSERT_EQ(outbox().size(), 2U);
    EXPECT_EQ(outbox()[1].kind(), storage::OutboxRow::KIND_CANCEL_NEXUS);
    EXPECT_EQ(outbox()[1].nexus_scheduled_event_id(), 5);
    const NexusMessage sent = nexus_cancel_message(run(), EventId(5), context());
    EXPECT_EQ(std::get<NexusCall>(sent).request.cancel_operation().operation_token(), "token");

    apply(record_nexus_cancellation(run(), EventId(5), outcome(Kind::kSucceeded), context()));
    EXPECT_THAT(text(), HasSubstr("NexusOperationCancelRequestCompleted"));
    EXPECT_TRUE(row().cancellation().over());
}

TEST_F(NexusTest, AnOperationCanBeCancelledOnlyOnce) {
    schedule();
    signal("go");
    run_task({cancel_nexus(5)});
    signal("again");
    EXPECT_EQ(message_of(run_task({cancel_nexus(5)}).refusal),
              "BadRequestCancelNexusOperationAttributes: cancelation was already requested for an "
              "operation with scheduled event ID 5");
}

TEST_F(NexusTest, WhatCanNotBeAskedForFailsTheTask) {
    Command command = schedule_nexus("elsewhere");
    EXPECT_EQ(refusal_of(command),
              "BadScheduleNexusOperationAttributes: endpoint \"elsewhere\" not found");
}

TEST_F(NexusTest, HeadersAreKeptInLowerCaseAndReservedOnesRefused) {
    schedule([](Command& command) {
        (*attributes_of(command).mutable_nexus_header())["Key"] = "value";
    });
    EXPECT_TRUE(row().header().contains("key"));
    Command reserved = schedule_nexus();
    (*attributes_of(reserved).mutable_nexus_header())["Request-Timeout"] = "1s";
    EXPECT_THAT(refusal_of(reserved), HasSubstr("contains a disallowed header key"));
}

TEST_F(NexusTest, ARunHasOnlySoManyOperations) {
    limits().pending_nexus_operations = 1;
    start();
    EXPECT_THAT(message_of(run_task({schedule_nexus(), schedule_nexus()}).refusal),
                HasSubstr("pending nexus operation limit of 1"));
}

TEST_F(NexusTest, ARunThatClosesDoesNotWaitForOutcomes) {
    start();
    run_task({schedule_nexus(), complete_workflow()});
    EXPECT_TRUE(run().nexus_operations.empty());
    EXPECT_TRUE(std::holds_alternative<std::monostate>(message()));
}

// ---- What answers mean ---------------------------------------------------------------------------

TEST_F(NexusTest, ErrorsOfHandlersAreFinalOrPassByTheirType) {
    const auto kind_of = [this](const std::string& type) {
        api::nexus::v1::HandlerError error;
        error.set_error_type(type);
        return outcome_of(absl::StatusOr<NexusAnswer>(error), limits()).kind;
    };
    EXPECT_EQ(kind_of("BAD_REQUEST"), Kind::kFailed);
    EXPECT_EQ(kind_of("NOT_IMPLEMENTED"), Kind::kFailed);
    EXPECT_EQ(kind_of("INTERNAL"), Kind::kRetry);
    EXPECT_EQ(kind_of("of another kind"), Kind::kRetry);
    EXPECT_EQ(outcome_of(absl::StatusOr<NexusAnswer>(deadline_exceeded("late")), limits()).kind,
              Kind::kRetry);
}

TEST_F(NexusTest, AnAnswerThatIsTooLargeFailsTheOperation) {
    limits().blob_bytes = 10;
    api::nexus::v1::Response response;
    response.mutable_start_operation()->mutable_sync_success()->mutable_payload()->set_data(
        std::string(11, 'x'));
    EXPECT_EQ(outcome_of(absl::StatusOr<NexusAnswer>(response), limits()).kind, Kind::kFailed);
}

// ---- Operations of the server itself -------------------------------------------------------------

class SystemOperationTest : public NexusTest {
protected:
    SystemOperationTest() { limits().signal_with_start_operation = true; }
};

TEST_F(SystemOperationTest, ASignalWithStartIsCompletedAsAClientsWouldBe) {
    start();
    run_task({signal_with_start_operation()});
    const NexusMessage sent = message();
    const SystemCall& call = std::get<SystemCall>(sent);
    EXPECT_EQ(call.request.namespace_(), "default");
    EXPECT_EQ(call.request.request_id(), row().request_id());
    EXPECT_EQ(call.new_run_id, row().new_run_id());
    ASSERT_EQ(call.request.links_size(), 1);
    EXPECT_EQ(call.request.links(0).workflow_event().event_ref().event_id(), 5);

    const NexusOutcome done =
        outcome_of(call, absl::StatusOr<SignalWithStartAnswer>(SignalWithStartAnswer{"run", true}));
    service::SignalWithStartWorkflowExecutionResponse response;
    ASSERT_TRUE(response.ParseFromString(done.result.data()));
    EXPECT_TRUE(response.started());
    EXPECT_EQ(done.links[0].workflow_event().request_id_ref().request_id(), row().request_id());
}

TEST_F(SystemOperationTest, WhatTheServerFillsInMayNotBeSet) {
    EXPECT_THAT(refusal_of(signal_with_start_operation(
                    [](auto& request) { request.set_request_id("mine"); })),
                HasSubstr("RequestID should not be set on the request"));
}

TEST_F(SystemOperationTest, ABadRequestFailsTheTaskInTheWordsOfTheCall) {
    EXPECT_THAT(
        refusal_of(signal_with_start_operation([](auto& request) {
            request.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
        })),
        HasSubstr("WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported"));
}

TEST_F(SystemOperationTest, ItIsRefusedWhereItIsTurnedOff) {
    limits().signal_with_start_operation = false;
    EXPECT_THAT(refusal_of(signal_with_start_operation()),
                HasSubstr("SignalWithStart operation is disabled"));
}

TEST_F(SystemOperationTest, ARefusalOfTheTargetFailsTheOperationAndTroubleDoesNot) {
    const auto answer = [](absl::Status status) {
        return outcome_of(SystemCall(), absl::StatusOr<SignalWithStartAnswer>(std::move(status)));
    };
    const NexusOutcome refused =
        answer(make_error(absl::StatusCode::kAlreadyExists, "already finished"));
    EXPECT_EQ(refused.kind, Kind::kFailed);
    EXPECT_EQ(refused.failure.message(), "WorkflowExecutionAlreadyStarted: already finished");
    EXPECT_EQ(answer(unavailable("busy")).kind, Kind::kRetry);
}

// ---- Commands to workers -------------------------------------------------------------------------

class WorkerCommandTest : public ::testing::Test, protected Scenario {
protected:
    WorkerCommandTest() { limits().cancel_activity_commands = true; }

    /// A run whose activity of event 5 is with a worker.
    void start_with_activity(const std::string& control_queue) {
        start();
        run_task({schedule_activity("a", seconds(1'000))});
        StartActivityInput input;
        input.scheduled = EventId(5);
        input.control_task_queue = control_queue;
        apply(history::start_activity(run(), input, context()));
    }
};

TEST_F(WorkerCommandTest, AWorkerThatListensIsToldToGiveUpACancelledActivity) {
    start_with_activity("control");
    signal("go");
    run_task({cancel_activity(5)});
    ASSERT_EQ(outbox().size(), 1U);
    EXPECT_EQ(outbox()[0].kind(), storage::OutboxRow::KIND_CANCEL_ACTIVITIES);
    EXPECT_EQ(outbox()[0].control_task_queue(), "control");
    ASSERT_EQ(outbox()[0].held_activities_size(), 1);
    EXPECT_EQ(outbox()[0].held_activities(0).activity_id(), "a");
    EXPECT_EQ(outbox()[0].held_activities(0).attempt(), 1);
}

TEST_F(WorkerCommandTest, ARunThatClosesGivesUpWhatWorkersHold) {
    start_with_activity("control");
    terminate();
    ASSERT_EQ(outbox().size(), 1U);
    EXPECT_EQ(outbox()[0].kind(), storage::OutboxRow::KIND_CANCEL_ACTIVITIES);
}

TEST_F(WorkerCommandTest, AWorkerThatDoesNotListenIsNotTold) {
    start_with_activity("");
    terminate();
    EXPECT_TRUE(outbox().empty());
}

TEST_F(WorkerCommandTest, NobodyIsToldWhereItIsTurnedOff) {
    limits().cancel_activity_commands = false;
    start_with_activity("control");
    terminate();
    EXPECT_TRUE(outbox().empty());
}

TEST_F(WorkerCommandTest, AnAttemptThatHasEndedIsNotGivenUp) {
    start_with_activity("control");
    advance(seconds(1'000));
    terminate();
    EXPECT_TRUE(outbox().empty());
}

}  // namespace
}  // namespace stele::history
