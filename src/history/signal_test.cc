#include "history/scenario_testing.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using namespace testing;
using std::chrono::seconds;

class SignalTest : public ::testing::Test, protected Scenario {
protected:
    static SignalInput input(const std::string& name, const std::string& request_id = "") {
        SignalInput signal;
        signal.name = name;
        signal.request_id = request_id;
        return signal;
    }
    absl::Status try_signal(const SignalInput& signal) {
        return signal_workflow(run(), signal, context()).status();
    }
    void start_delayed() {
        start([](StartInput& start) {
            start.request.mutable_workflow_start_delay()->set_seconds(100);
        });
    }
};

TEST_F(SignalTest, AnIdleRunGetsATask) {
    start();
    run_task({});
    signal("go");
    EXPECT_EQ(text_after(4), "5 WorkflowExecutionSignaled go\n6 WorkflowTaskScheduled\n");
}

TEST_F(SignalTest, ATaskThatWaitsCarriesItAlong) {
    start();
    signal("one");
    signal("two");
    EXPECT_EQ(text(),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowTaskScheduled\n"
              "3 WorkflowExecutionSignaled one\n"
              "4 WorkflowExecutionSignaled two\n");
}

TEST_F(SignalTest, SignalsDuringATaskKeepTheirOrderAndBringAnother) {
    start();
    start_task();
    signal("one");
    signal("two");
    EXPECT_EQ(last_event(), 3);
    complete_task({});
    EXPECT_EQ(text_after(3),
              "4 WorkflowTaskCompleted\n"
              "5 WorkflowExecutionSignaled one\n"
              "6 WorkflowExecutionSignaled two\n"
              "7 WorkflowTaskScheduled\n");
}

TEST_F(SignalTest, TheEventSaysAllThatTheCallerSaid) {
    start();
    SignalInput signal = input("go", "request");
    signal.input = payloads("data");
    (*signal.header.mutable_fields())["trace"].set_data("42");
    signal.identity = "client";
    signal.external_source.set_workflow_id("other");
    signal.external_source.set_run_id("other-run");
    signal.links.emplace_back().mutable_workflow_event()->set_workflow_id("linked");
    apply(signal_workflow(run(), signal, context()));
    const HistoryEvent& event = history().events(2);
    EXPECT_EQ(event.links(0).workflow_event().workflow_id(), "linked");
    const auto& attributes = event.workflow_execution_signaled_event_attributes();
    EXPECT_EQ(attributes.input().payloads(0).data(), "data");
    EXPECT_EQ(attributes.header().fields().at("trace").data(), "42");
    EXPECT_EQ(attributes.identity(), "client");
    EXPECT_EQ(attributes.request_id(), "request");
    EXPECT_EQ(attributes.external_workflow_execution().run_id(), "other-run");
}

TEST_F(SignalTest, TheSameRequestHasOneEffect) {
    start();
    signal("go", "request");
    const std::string once = text();
    const auto again = signal_workflow(run(), input("go", "request"), context());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->transition.empty);
    EXPECT_EQ(text(), once);
    terminate();
    EXPECT_TRUE(try_signal(input("go", "request")).ok()) << "what was done stays done";
}

TEST_F(SignalTest, TheSameRequestHasOneEffectWhileItIsBuffered) {
    start();
    start_task();
    signal("go", "request");
    signal("go", "request");
    complete_task({});
    EXPECT_EQ(text_after(4), "5 WorkflowExecutionSignaled go\n6 WorkflowTaskScheduled\n");
    EXPECT_EQ(run().request_ids.find(*run().request_ids.id_of("request"))->event_id(), 5);
}

TEST_F(SignalTest, TheRequestIdOfTheStartIsNotOneOfASignal) {
    start();
    signal("go", "start-request");
    EXPECT_EQ(text_after(2), "3 WorkflowExecutionSignaled go\n");
}

TEST_F(SignalTest, AClosedRunCanNotBeSignaled) {
    start();
    terminate();
    EXPECT_EQ(try_signal(input("go")), not_found("workflow execution already completed"));
}

TEST_F(SignalTest, ARunTakesNoMoreThanItsLimit) {
    limits().signals_per_run = 2;
    start();
    signal("one");
    signal("two");
    EXPECT_EQ(try_signal(input("three")),
              invalid_argument("exceeded workflow execution limit for signal events"));
}

TEST_F(SignalTest, AnOversizedInputIsRefused) {
    start();
    SignalInput signal = input("go");
    signal.input = payloads(std::string(2 * 1024 * 1024 + 1, 'x'));
    EXPECT_EQ(try_signal(signal), invalid_argument("Blob data size exceeds limit."));
}

TEST_F(SignalTest, ADelayedRunWaitsForItsTimeUnlessTheSignalSkipsIt) {
    start_delayed();
    signal("wait");
    EXPECT_EQ(text(), "1 WorkflowExecutionStarted\n2 WorkflowExecutionSignaled wait\n");
    SignalInput skipping = input("now");
    skipping.skip_start_delay = true;
    apply(signal_workflow(run(), skipping, context()));
    EXPECT_EQ(text_after(2), "3 WorkflowExecutionSignaled now\n4 WorkflowTaskScheduled\n");
    advance(seconds(200));
    EXPECT_EQ(last_event(), 4) << "the delay is over and done with";
}

TEST_F(SignalTest, ARunThatTriesToCloseIsLeftAlone) {
    start();
    start_task();
    signal("one");
    complete_task({complete_workflow()});
    start_task();
    const absl::Status busy = try_signal(input("two"));
    EXPECT_EQ(busy.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(message_of(busy),
              "workflow operation can not be applied because workflow is closing");
    api::errordetails::v1::ResourceExhaustedFailure detail;
    ASSERT_TRUE(detail_of(busy).has_value());
    ASSERT_TRUE(detail.ParseFromString(detail_of(busy)->value));
    EXPECT_EQ(detail.cause(), enums::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW);
    complete_task({complete_workflow()});
    EXPECT_EQ(text_after(3),
              "4 WorkflowTaskFailed UnhandledCommand\n"
              "5 WorkflowExecutionSignaled one\n"
              "6 WorkflowTaskScheduled\n"
              "7 WorkflowTaskStarted\n"
              "8 WorkflowTaskCompleted\n"
              "9 WorkflowExecutionCompleted\n");
}

// ---- Cancel --------------------------------------------------------------------------------

class CancelTest : public ::testing::Test, protected Scenario {
protected:
    static CancelInput input(const std::string& request_id) {
        CancelInput cancel;
        cancel.reason = "no longer wanted";
        cancel.identity = "operator";
        cancel.request_id = request_id;
        return cancel;
    }
    bool cancel_does_something(const CancelInput& cancel) {
        auto applied = request_cancel(run(), cancel, context());
        EXPECT_TRUE(applied.ok());
        const bool something = !applied->transition.empty;
        apply(std::move(applied));
        return something;
    }
};

TEST_F(CancelTest, ARequestReachesTheWorkflowOnce) {
    start();
    run_task({});
    EXPECT_TRUE(cancel_does_something(input("one")));
    EXPECT_EQ(text_after(4), "5 WorkflowExecutionCancelRequested\n6 WorkflowTaskScheduled\n");
    const auto& attributes =
        history().events(4).workflow_execution_cancel_requested_event_attributes();
    EXPECT_EQ(attributes.cause(), "no longer wanted");
    EXPECT_EQ(attributes.identity(), "operator");
    EXPECT_FALSE(attributes.has_external_workflow_execution());
    EXPECT_FALSE(cancel_does_something(input("one")));
    EXPECT_FALSE(cancel_does_something(input("two")));
}

TEST_F(CancelTest, ARequestDuringATaskWaits) {
    start();
    start_task();
    EXPECT_TRUE(cancel_does_something(input("one")));
    EXPECT_FALSE(cancel_does_something(input("two")));
    complete_task({});
    EXPECT_EQ(text_after(4), "5 WorkflowExecutionCancelRequested\n6 WorkflowTaskScheduled\n");
}

TEST_F(CancelTest, AClosedRunDoesNotMind) {
    start();
    terminate();
    EXPECT_FALSE(cancel_does_something(input("one")));
}

TEST_F(CancelTest, ADelayedRunLearnsOfItAtOnce) {
    start(
        [](StartInput& start) { start.request.mutable_workflow_start_delay()->set_seconds(100); });
    EXPECT_TRUE(cancel_does_something(input("one")));
    EXPECT_EQ(text_after(1), "2 WorkflowExecutionCancelRequested\n3 WorkflowTaskScheduled\n");
}

// ---- Terminate -----------------------------------------------------------------------------

class TerminateTest : public ::testing::Test, protected Scenario {};

TEST_F(TerminateTest, ARunningTaskFailsFirstAndWhatWaitedIsWritten) {
    start();
    run_task({schedule_activity("a"), start_timer("t", seconds(10))});
    signal("go");
    start_task();
    signal("late");
    terminate();
    EXPECT_EQ(text_after(6),
              "7 WorkflowExecutionSignaled go\n"
              "8 WorkflowTaskScheduled\n"
              "9 WorkflowTaskStarted\n"
              "10 WorkflowTaskFailed ForceCloseCommand\n"
              "11 WorkflowExecutionSignaled late\n"
              "12 WorkflowExecutionTerminated \"enough\"\n");
    EXPECT_EQ(run().header.status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
    EXPECT_TRUE(run().timers.empty());
    EXPECT_TRUE(run().buffered.empty());
    advance(seconds(100));
    EXPECT_EQ(last_event(), 12) << "nothing happens to a closed run";
}

TEST_F(TerminateTest, AQueuedTaskIsWithdrawn) {
    start();
    terminate();
    EXPECT_EQ(text(),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowTaskScheduled\n"
              "3 WorkflowExecutionTerminated \"enough\"\n");
    EXPECT_FALSE(workflow_task_is_queued());
}

TEST_F(TerminateTest, AClosedRunCanNotBeTerminated) {
    start();
    terminate();
    TerminateInput again;
    EXPECT_EQ(terminate_workflow(run(), again, context()).status(),
              not_found("workflow execution already completed"));
}

}  // namespace
}  // namespace stele::history
