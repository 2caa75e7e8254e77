#include "history/scenario_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using namespace testing;

class ExternalTest : public ::testing::Test, protected Scenario {
protected:
    static void expect_refused(const Command& command, const std::string& message) {
        Scenario scenario;
        scenario.start();
        const CompletedWorkflowTask completed = scenario.run_task({command});
        EXPECT_EQ(message_of(completed.refusal), message);
        EXPECT_TRUE(scenario.outbox().empty());
    }
    static auto& signal_attributes(Command& command) {
        return *command.mutable_signal_external_workflow_execution_command_attributes();
    }
    static auto& cancel_attributes(Command& command) {
        return *command.mutable_request_cancel_external_workflow_execution_command_attributes();
    }
    bool finishing_does_something(absl::StatusOr<Applied<None>> applied) {
        EXPECT_TRUE(applied.ok());
        const bool something = !applied->transition.empty;
        apply(std::move(applied));
        return something;
    }
};

TEST_F(ExternalTest, ASignalGoesOutAndItsOutcomeComesBackOnce) {
    start();
    run_task({signal_external("other", "hello")});
    EXPECT_EQ(text_after(4), "5 SignalExternalWorkflowExecutionInitiated\n");
    ASSERT_EQ(outbox().size(), 1U);
    EXPECT_EQ(outbox()[0].kind(), storage::OutboxRow::KIND_SIGNAL);
    EXPECT_EQ(outbox()[0].initiated_event_id(), 5);
    EXPECT_EQ(outbox()[0].run_key(), 7);
    const storage::ExternalRow row = *run().external_signals.find(5);
    EXPECT_EQ(row.workflow_id(), "other");
    EXPECT_EQ(row.signal_name(), "hello");
    EXPECT_EQ(row.input().payloads(0).data(), "input");
    EXPECT_FALSE(row.request_id().empty()) << "the target deduplicates by it";

    EXPECT_TRUE(finishing_does_something(
        finish_external_signal(run(), EventId(5), ExternalOutcome(), context())));
    EXPECT_EQ(text_after(5), "6 ExternalWorkflowExecutionSignaled\n7 WorkflowTaskScheduled\n");
    const auto& signaled =
        history().events(5).external_workflow_execution_signaled_event_attributes();
    EXPECT_EQ(signaled.initiated_event_id(), 5);
    EXPECT_EQ(signaled.namespace_(), "default");
    EXPECT_EQ(signaled.workflow_execution().workflow_id(), "other");
    EXPECT_FALSE(finishing_does_something(
        finish_external_signal(run(), EventId(5), ExternalOutcome(), context())))
        << "the outbox may deliver twice";
}

TEST_F(ExternalTest, ACancelRequestGoesOutAndItsFailureComesBack) {
    start();
    run_task({cancel_external("other")});
    ASSERT_EQ(outbox().size(), 1U);
    EXPECT_EQ(outbox()[0].kind(), storage::OutboxRow::KIND_CANCEL);
    EXPECT_EQ(run().external_cancels.find(5)->reason(), "no longer wanted");
    ExternalOutcome outcome;
    outcome.cancel_failure = enums::
        CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
    signal("go");
    start_task();
    EXPECT_TRUE(
        finishing_does_something(finish_external_cancel(run(), EventId(5), outcome, context())));
    EXPECT_FALSE(
        finishing_does_something(finish_external_cancel(run(), EventId(5), outcome, context())))
        << "the outbox may deliver twice";
    complete_task({});
    EXPECT_EQ(text_after(8),
              "9 WorkflowTaskCompleted\n"
              "10 RequestCancelExternalWorkflowExecutionFailed\n"
              "11 WorkflowTaskScheduled\n");
    const auto& failed =
        history().events(9).request_cancel_external_workflow_execution_failed_event_attributes();
    EXPECT_EQ(failed.cause(), *outcome.cancel_failure);
    EXPECT_EQ(failed.initiated_event_id(), 5);
}

TEST_F(ExternalTest, ARunThatClosesDoesNotWaitForOutcomes) {
    start();
    run_task({signal_external("other", "hello"), complete_workflow()});
    EXPECT_FALSE(run().is_open());
    EXPECT_FALSE(finishing_does_something(
        finish_external_signal(run(), EventId(5), ExternalOutcome(), context())));
}

TEST_F(ExternalTest, BadTargetsFailTheTask) {
    const std::string bad_signal = "BadSignalWorkflowExecutionAttributes: ";
    const std::string bad_cancel = "BadRequestCancelExternalWorkflowExecutionAttributes: ";
    expect_refused(signal_external("", "s"),
                   bad_signal +
                       "WorkflowId is not set on SignalExternalWorkflowExecutionCommand. "
                       "Namespace= RunId= SignalName=s");
    Command command = signal_external("x", "s");
    signal_attributes(command).mutable_execution()->set_run_id("bad-run");
    expect_refused(command, bad_signal +
                                "Invalid RunId set on SignalExternalWorkflowExecutionCommand. "
                                "WorkflowId=x Namespace= RunId=bad-run SignalName=s");
    expect_refused(signal_external("x", ""),
                   bad_signal +
                       "SignalName is not set on SignalExternalWorkflowExecutionCommand. "
                       "WorkflowId=x Namespace= RunId=");
    command = signal_external("x", "s");
    signal_attributes(command).set_namespace_("elsewhere");
    expect_refused(command, bad_signal + "cross namespace commands are not allowed");
    command = signal_external("x", "s");
    signal_attributes(command).clear_execution();
    expect_refused(command,
                   bad_signal + "Execution is not set on SignalExternalWorkflowExecutionCommand.");

    expect_refused(cancel_external(""),
                   bad_cancel +
                       "WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand. "
                       "Namespace= RunId=");
    command = cancel_external("x");
    cancel_attributes(command).set_run_id("bad");
    expect_refused(command,
                   bad_cancel +
                       "Invalid RunId set on RequestCancelExternalWorkflowExecutionCommand. "
                       "WorkflowId=x RunId=bad Namespace=");
    expect_refused(cancel_external(std::string(1001, 'w')),
                   bad_cancel +
                       "WorkflowId on RequestCancelExternalWorkflowExecutionCommand exceeds length "
                       "limit. WorkflowId=" +
                       std::string(1001, 'w') + " Length=1001 Limit=1000 RunId= Namespace=");
}

TEST_F(ExternalTest, TheOwnNamespaceMayBeNamed) {
    start();
    Command command = signal_external("other", "s");
    signal_attributes(command).set_namespace_("default");
    signal_attributes(command).mutable_execution()->set_run_id(
        "01a20823-db27-70ca-b162-5ef924b7018d");
    EXPECT_TRUE(run_task({command}).refusal.ok());
    EXPECT_EQ(outbox().size(), 1U);
}

TEST_F(ExternalTest, WorkflowsOfAnotherNamespaceAreReachedWhereThatIsAllowed) {
    limits().cross_namespace_commands = true;
    other_namespaces()["elsewhere"] = "elsewhere-id";
    start();
    // Of the same id: it is not the run itself.
    Command signal = signal_external("workflow", "s");
    signal_attributes(signal).set_namespace_("elsewhere");
    Command cancel = cancel_external("other");
    cancel_attributes(cancel).set_namespace_("elsewhere");
    EXPECT_TRUE(run_task({signal, cancel}).refusal.ok());
    ASSERT_EQ(outbox().size(), 2U);
    EXPECT_EQ(run().external_signals.find(5)->namespace_id(), "elsewhere-id");
    EXPECT_EQ(run().external_signals.find(5)->namespace_(), "elsewhere");
    EXPECT_EQ(run().external_cancels.find(6)->namespace_id(), "elsewhere-id");
    apply(finish_external_signal(run(), EventId(5), ExternalOutcome(), context()));
    EXPECT_EQ(history().events(6).external_workflow_execution_signaled_event_attributes().namespace_(),
              "elsewhere");
}

TEST_F(ExternalTest, ANamespaceThatDoesNotExistFailsTheTask) {
    limits().cross_namespace_commands = true;
    start();
    Command command = signal_external("x", "s");
    signal_attributes(command).set_namespace_("elsewhere");
    EXPECT_EQ(message_of(run_task({command}).refusal),
              "BadSignalWorkflowExecutionAttributes: Namespace elsewhere is not found.");
    EXPECT_TRUE(outbox().empty());
}

TEST_F(ExternalTest, TooManyOnTheirWayFailTheTask) {
    limits().pending_signals = 1;
    limits().pending_cancels = 1;
    start();
    EXPECT_EQ(
        message_of(run_task({signal_external("a", "s"), signal_external("b", "s")}).refusal),
        "PendingSignalsLimitExceeded: the number of pending signals to external workflows, 1, "
        "has reached the per-workflow limit of 1");
    run_task({});
    signal("go");
    EXPECT_EQ(
        message_of(run_task({cancel_external("a"), cancel_external("b")}).refusal),
        "PendingRequestCancelLimitExceeded: the number of pending requests to cancel external "
        "workflows, 1, has reached the per-workflow limit of 1");
    EXPECT_TRUE(outbox().empty()) << "a refused command leaves no trace";
}

}  // namespace
}  // namespace stele::history
