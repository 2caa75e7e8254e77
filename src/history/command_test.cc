#include "history/invariants_testing.h"
#include "history/scenario_testing.h"
#include "history/search_attributes.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

// Commands that can not be obeyed. The messages are those that a Temporal server gives for the same
// commands, because clients and tests of clients compare them.
namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using google::protobuf::TextFormat;

Command command_from(const std::string& text) {
    Command command;
    EXPECT_TRUE(TextFormat::ParseFromString(text, &command)) << text;
    return command;
}

struct Case {
    std::string name;
    std::string command;
    std::string message;
    enums::WorkflowTaskFailedCause cause;
};

class RefusedCommand : public ::testing::TestWithParam<Case> {};

TEST_P(RefusedCommand, FailsTheTaskWithACauseAndAMessage) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        input.request.mutable_workflow_type()->set_name("T");
        input.request.mutable_task_queue()->set_name("bad");
    });
    const CompletedWorkflowTask reply = scenario.run_task({command_from(GetParam().command)});
    EXPECT_EQ(reply.refusal.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(message_of(reply.refusal), GetParam().message);
    ASSERT_EQ(scenario.last_event(), 4) << scenario.text();
    const auto& failed = scenario.history().events(3).workflow_task_failed_event_attributes();
    EXPECT_EQ(failed.cause(), GetParam().cause);
    EXPECT_EQ(failed.failure().message(), GetParam().message);
    EXPECT_TRUE(failed.failure().has_server_failure_info());
    EXPECT_EQ(scenario.run().header.task().attempt(), 2);
    check_rows_against_history(scenario.run(), scenario.history());
}

INSTANTIATE_TEST_SUITE_P(
    Timers, RefusedCommand,
    ::testing::Values(
        Case{"NoAttributes", "command_type: COMMAND_TYPE_START_TIMER",
             "BadStartTimerAttributes: StartTimerCommandAttributes is not set on "
             "StartTimerCommand.",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES},
        Case{"NegativeTimeout",
             "command_type: COMMAND_TYPE_START_TIMER start_timer_command_attributes { "
             "timer_id: 'a' start_to_fire_timeout { seconds: -1 } }",
             "BadStartTimerAttributes: An invalid StartToFireTimeout is set on "
             "StartTimerCommand: negative duration. TimerId=a",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES},
        Case{"CancelWithoutAttributes", "command_type: COMMAND_TYPE_CANCEL_TIMER",
             "BadCancelTimerAttributes: CancelTimerCommandAttributes is not set on "
             "CancelTimerCommand.",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES},
        Case{"CancelOfAnUnknownTimer",
             "command_type: COMMAND_TYPE_CANCEL_TIMER cancel_timer_command_attributes { "
             "timer_id: 'zz' }",
             "BadCancelTimerAttributes: invalid history builder state for action: "
             "add-timer-canceled-event, TimerID: zz",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Attributes, RefusedCommand,
    ::testing::Values(
        Case{"MarkerWithoutName",
             "command_type: COMMAND_TYPE_RECORD_MARKER record_marker_command_attributes {}",
             "BadRecordMarkerAttributes: MarkerName is not set on RecordMarkerCommand.",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_RECORD_MARKER_ATTRIBUTES},
        Case{"SearchAttributesMissing",
             "command_type: COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES "
             "upsert_workflow_search_attributes_command_attributes {}",
             "BadSearchAttributes: SearchAttributes is not set on "
             "UpsertWorkflowSearchAttributesCommand.",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES},
        Case{"SearchAttributesEmpty",
             "command_type: COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES "
             "upsert_workflow_search_attributes_command_attributes { search_attributes {} }",
             "BadSearchAttributes: IndexedFields is not set on "
             "UpsertWorkflowSearchAttributesCommand.",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES},
        Case{"MemoEmpty",
             "command_type: COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES "
             "modify_workflow_properties_command_attributes { upserted_memo {} }",
             "BadModifyWorkflowPropertiesAttributes: UpsertedMemo.Fields is not set on "
             "ModifyWorkflowPropertiesCommand.",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Closing, RefusedCommand,
    ::testing::Values(
        Case{"CompleteWithoutAttributes", "command_type: COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION",
             "BadCompleteWorkflowExecutionAttributes: CompleteWorkflowExecutionCommandAttributes "
             "is not set on CompleteWorkflowExecutionCommand.",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_COMPLETE_WORKFLOW_EXECUTION_ATTRIBUTES},
        Case{"FailWithoutFailure",
             "command_type: COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION "
             "fail_workflow_execution_command_attributes {}",
             "BadFailWorkflowExecutionAttributes: Failure is not set on "
             "FailWorkflowExecutionCommand.",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES},
        Case{"ContinueWithNegativeTimeout",
             "command_type: COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION "
             "continue_as_new_workflow_execution_command_attributes { "
             "workflow_run_timeout { seconds: -1 } }",
             "BadContinueAsNewAttributes: Invalid WorkflowRunTimeout on "
             "ContinueAsNewWorkflowExecutionCommand: negative duration. WorkflowType=T "
             "TaskQueue=name:\"bad\" kind:TASK_QUEUE_KIND_NORMAL",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES},
        Case{"ContinueWithBadPolicy",
             "command_type: COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION "
             "continue_as_new_workflow_execution_command_attributes { "
             "retry_policy { backoff_coefficient: 0.5 } }",
             "BadContinueAsNewAttributes: invalid WorkflowRetryPolicy on "
             "ContinueAsNewWorkflowExecutionCommand: BackoffCoefficient cannot be less than 1 on "
             "retry policy.. WorkflowType=T TaskQueue=name:\"bad\" kind:TASK_QUEUE_KIND_NORMAL",
             enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES}),
    [](const auto& test) { return test.param.name; });

TEST(RefusedTimers, HaveAnIdThatIsTooLongOrTaken) {
    Scenario scenario;
    scenario.start();
    const std::string long_id(1001, 'x');
    EXPECT_EQ(
        message_of(scenario.run_task({start_timer(long_id, Duration(1))}).refusal),
        "BadStartTimerAttributes: TimerId on StartTimerCommand exceeds length limit. TimerId=" +
            long_id + " Length=1001 Limit=1000");
    Scenario second;
    second.start();
    const Command timer = start_timer("a", std::chrono::hours(1));
    EXPECT_EQ(message_of(second.run_task({timer, timer}).refusal),
              "StartTimerDuplicateId: invalid history builder state for action: "
              "add-timer-started-event, TimerID: a");
    EXPECT_TRUE(second.run().timers.empty());
}

TEST(OversizedPayload, TerminatesTheRunBecauseNoAttemptWouldBeSmaller) {
    Scenario scenario;
    scenario.start();
    Command command = complete_workflow();
    *command.mutable_complete_workflow_execution_command_attributes()->mutable_result() =
        payloads(std::string(2'200'000, 'x'));
    const CompletedWorkflowTask reply = scenario.run_task({std::move(command)});
    EXPECT_EQ(message_of(reply.refusal),
              "BadScheduleActivityAttributes: CompleteWorkflowExecutionCommandAttributes.Result "
              "exceeds size limit.");
    EXPECT_EQ(scenario.text_after(3),
              "4 WorkflowTaskFailed BadScheduleActivityAttributes\n"
              "5 WorkflowExecutionTerminated \"BadScheduleActivityAttributes: "
              "CompleteWorkflowExecutionCommandAttributes.Result exceeds size limit.\"\n");
}

TEST(UnknownCommands, AreRefusedAndTheTaskStaysWithItsWorker) {
    Scenario scenario;
    scenario.start();
    const StartedWorkflowTask task = scenario.start_task();
    service::RespondWorkflowTaskCompletedRequest request;
    request.add_commands();
    EXPECT_EQ(
        message_of(complete_workflow_task(scenario.run(), task.token, request, scenario.context())
                       .status()),
        "unknown command type: Unspecified");
    request.mutable_commands(0)->set_command_type(static_cast<enums::CommandType>(99));
    EXPECT_EQ(
        message_of(complete_workflow_task(scenario.run(), task.token, request, scenario.context())
                       .status()),
        "unknown command type: 99");
}

TEST(Memo, IsMergedAndEmptyValuesDelete) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        auto& fields = *input.request.mutable_memo()->mutable_fields();
        fields["kept"].set_data("1");
        fields["dropped"].set_data("2");
        fields["changed"].set_data("3");
    });
    scenario.run_task(
        {command_from("command_type: COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES "
                      "modify_workflow_properties_command_attributes { upserted_memo { "
                      "fields { key: 'dropped' value { data: 'null' } } "
                      "fields { key: 'changed' value { data: '4' } } "
                      "fields { key: 'new' value { data: '5' } } } }")});
    const auto& fields = scenario.run().attributes.memo().fields();
    EXPECT_EQ(fields.size(), 3U);
    EXPECT_EQ(fields.at("kept").data(), "1");
    EXPECT_EQ(fields.at("changed").data(), "4");
    EXPECT_EQ(fields.at("new").data(), "5");
    const auto description = describe(scenario.run());
    EXPECT_EQ(description.workflow_execution_info().memo().fields_size(), 3);
}

TEST(SearchAttributes, AreCheckedByTheNamespaceThatTheyBelongTo) {
    Scenario scenario;
    scenario.start();
    const StartedWorkflowTask task = scenario.start_task();
    service::RespondWorkflowTaskCompletedRequest request;
    *request.add_commands() = command_from(
        "command_type: COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES "
        "upsert_workflow_search_attributes_command_attributes { search_attributes { "
        "indexed_fields { key: 'Nope' value { data: '1' } } } }");
    Context context = scenario.context();
    const SearchAttributeSchema schema("space", {});
    context.search_attributes = &schema;
    const auto reply = complete_workflow_task(scenario.run(), task.token, request, context);
    ASSERT_TRUE(reply.ok());
    EXPECT_EQ(
        message_of(reply->reply.refusal),
        "BadSearchAttributes: Namespace space has no mapping defined for search attribute Nope");
}

TEST(Describe, TellsWhatIsPendingAndWhatIsOver) {
    Scenario scenario;
    scenario.start();
    auto waiting = describe(scenario.run());
    EXPECT_EQ(waiting.workflow_execution_info().history_length(), 2);
    EXPECT_EQ(waiting.workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    EXPECT_EQ(waiting.pending_workflow_task().state(),
              enums::PENDING_WORKFLOW_TASK_STATE_SCHEDULED);
    EXPECT_EQ(waiting.workflow_extended_info().request_id_infos().at("start-request").event_id(),
              1);
    scenario.start_task();
    EXPECT_EQ(describe(scenario.run()).pending_workflow_task().state(),
              enums::PENDING_WORKFLOW_TASK_STATE_STARTED);
    scenario.set_now(scenario.now() + std::chrono::seconds(2));
    scenario.complete_task({complete_workflow()});
    const auto over = describe(scenario.run());
    EXPECT_FALSE(over.has_pending_workflow_task());
    EXPECT_EQ(from_proto(over.workflow_execution_info().execution_duration()),
              std::chrono::seconds(2));
    EXPECT_EQ(over.workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
}

TEST(TransientTask, EndsTheHistoryThatOthersReadUntilItIsOvertaken) {
    Scenario scenario;
    scenario.start();
    EXPECT_TRUE(transient_events(scenario.run()).empty());
    scenario.run_task({start_timer("", Duration(1))});
    ASSERT_EQ(transient_events(scenario.run()).size(), 1U);
    EXPECT_EQ(transient_events(scenario.run())[0].event_id(), 5);
    scenario.start_task();
    ASSERT_EQ(transient_events(scenario.run()).size(), 2U);
    EXPECT_TRUE(transient_events(scenario.run())[1]
                    .workflow_task_started_event_attributes()
                    .identity()
                    .empty());
    scenario.advance(std::chrono::seconds(10));
    SignalInput signal;
    signal.name = "s";
    scenario.apply(signal_workflow(scenario.run(), signal, scenario.context()));
    EXPECT_TRUE(transient_events(scenario.run()).empty());
}

}  // namespace
}  // namespace stele::history::testing
