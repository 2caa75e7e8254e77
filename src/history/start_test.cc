#include "history/invariants_testing.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const api::history::v1::WorkflowExecutionStartedEventAttributes& started_event(
    const Scenario& scenario) {
    return scenario.history().events(0).workflow_execution_started_event_attributes();
}

api::common::v1::Payload json(const std::string& text) {
    api::common::v1::Payload payload;
    payload.set_data(text);
    return payload;
}

TEST(Start, WritesOnlyWhatWasAskedForAndTheDefaults) {
    Scenario scenario;
    scenario.start();
    const auto& started = started_event(scenario);
    EXPECT_EQ(started.original_execution_run_id(), "run-1");
    EXPECT_EQ(started.first_execution_run_id(), "run-1");
    EXPECT_EQ(from_proto(started.workflow_task_timeout()), seconds(10));
    EXPECT_FALSE(started.has_workflow_run_timeout());
    EXPECT_FALSE(started.has_workflow_execution_timeout());
    EXPECT_FALSE(started.has_workflow_execution_expiration_time());
    EXPECT_TRUE(started.has_first_workflow_task_backoff());
    EXPECT_FALSE(started.has_memo());
    EXPECT_EQ(started.attempt(), 1);
    check_rows_against_history(scenario.run(), scenario.history());
}

TEST(Start, TimeoutsAreCappedByEachOther) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        *input.request.mutable_workflow_execution_timeout() = to_proto(seconds(90));
        *input.request.mutable_workflow_run_timeout() = to_proto(hours(1));
        *input.request.mutable_workflow_task_timeout() = to_proto(hours(1));
    });
    const auto& started = started_event(scenario);
    EXPECT_EQ(from_proto(started.workflow_run_timeout()), seconds(90));
    EXPECT_EQ(from_proto(started.workflow_task_timeout()), seconds(90));
    EXPECT_EQ(from_proto(started.workflow_execution_expiration_time()),
              scenario.now() + seconds(90));
}

TEST(Start, EmptyMemoFieldsAreNotKept) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        auto& fields = *input.request.mutable_memo()->mutable_fields();
        fields["kept"] = json("1");
        fields["null"] = json("null");
        fields["nothing"] = json("");
    });
    EXPECT_EQ(started_event(scenario).memo().fields_size(), 1);
    EXPECT_EQ(scenario.run().attributes.memo().fields_size(), 1);
}

TEST(Start, ADelayedStartWaitsAndSignalsWaitWithIt) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        *input.request.mutable_workflow_start_delay() = to_proto(hours(1));
    });
    SignalInput signal;
    signal.name = "plain";
    scenario.apply(signal_workflow(scenario.run(), signal, scenario.context()));
    EXPECT_FALSE(scenario.workflow_task_is_queued());
    scenario.advance(hours(1) - seconds(1));
    EXPECT_FALSE(scenario.workflow_task_is_queued());
    scenario.advance(seconds(1));
    EXPECT_TRUE(scenario.workflow_task_is_queued());
    EXPECT_EQ(scenario.text(),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowExecutionSignaled plain\n"
              "3 WorkflowTaskScheduled\n");
}

TEST(Start, SignalWithStartEndsTheDelay) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        *input.request.mutable_workflow_start_delay() = to_proto(hours(1));
    });
    SignalInput signal;
    signal.name = "with start";
    signal.skip_start_delay = true;
    scenario.apply(signal_workflow(scenario.run(), signal, scenario.context()));
    EXPECT_EQ(scenario.text_after(1),
              "2 WorkflowExecutionSignaled with start\n"
              "3 WorkflowTaskScheduled\n");
    scenario.advance(hours(2));
    EXPECT_EQ(scenario.last_event(), 3);
}

TEST(Start, SignalWithStartPutsTheSignalBeforeTheFirstTask) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        input.signal.emplace();
        input.signal->name = "first";
    });
    EXPECT_EQ(scenario.text(),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowExecutionSignaled first\n"
              "3 WorkflowTaskScheduled\n");
}

TEST(RunTimeout, EndsTheRunInTheMiddleOfATask) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        *input.request.mutable_workflow_run_timeout() = to_proto(minutes(1));
        *input.request.mutable_workflow_task_timeout() = to_proto(minutes(1));
    });
    scenario.advance(seconds(30));
    scenario.start_task();
    scenario.advance(seconds(30));
    EXPECT_EQ(scenario.text_after(3),
              "4 WorkflowTaskFailed ForceCloseCommand\n"
              "5 WorkflowExecutionTimedOut\n");
    EXPECT_EQ(scenario.run().header.status(), enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
    const auto& timed_out =
        scenario.history().events(4).workflow_execution_timed_out_event_attributes();
    EXPECT_EQ(timed_out.retry_state(), enums::RETRY_STATE_RETRY_POLICY_NOT_SET);
}

TEST(RunTimeout, AsLongAsTheExecutionsIsTheEndOfTheExecution) {
    for (const int microseconds : {0, 400, 500, 600, 999}) {
        Scenario scenario;
        scenario.set_now(scenario.now() + std::chrono::microseconds(microseconds));
        scenario.start([](StartInput& input) {
            *input.request.mutable_workflow_execution_timeout() = to_proto(minutes(1));
            *input.request.mutable_workflow_run_timeout() = to_proto(minutes(1));
        });
        scenario.advance(minutes(1) + std::chrono::milliseconds(1));
        ASSERT_EQ(scenario.text_after(2), "3 WorkflowExecutionTimedOut\n") << microseconds;
        const auto& timed_out =
            scenario.history().events(2).workflow_execution_timed_out_event_attributes();
        EXPECT_EQ(timed_out.retry_state(), enums::RETRY_STATE_TIMEOUT) << microseconds;
    }
}

TEST(RunTimeout, CountsFromTheFirstTaskNotFromADelayedStart) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        *input.request.mutable_workflow_start_delay() = to_proto(hours(1));
        *input.request.mutable_workflow_run_timeout() = to_proto(minutes(1));
    });
    scenario.advance(hours(1) + seconds(59));
    EXPECT_TRUE(scenario.run().is_open());
    scenario.advance(seconds(1));
    EXPECT_FALSE(scenario.run().is_open());
}

TEST(Timers, ThatAreDueTogetherFireInOneTransitionInTheirOrder) {
    Scenario scenario;
    scenario.start();
    scenario.run_task({start_timer("late", seconds(3)), start_timer("early", seconds(1)),
                       start_timer("later", seconds(60))});
    scenario.set_now(scenario.now() + seconds(5));
    const auto fired = scenario.try_fire();
    ASSERT_TRUE(fired.ok());
    EXPECT_EQ(fired->transition.events.size(), 1U);
    scenario.advance(Duration::zero());
    ASSERT_EQ(scenario.text_after(7),
              "8 TimerFired\n"
              "9 TimerFired\n"
              "10 WorkflowTaskScheduled\n");
    EXPECT_EQ(scenario.history().events(7).timer_fired_event_attributes().timer_id(), "early");
    EXPECT_EQ(scenario.history().events(8).timer_fired_event_attributes().timer_id(), "late");
    EXPECT_EQ(scenario.run().timers.size(), 1U);
}

TEST(Timers, NothingIsDueBeforeItsTime) {
    Scenario scenario;
    scenario.start();
    scenario.run_task({start_timer("t", seconds(3))});
    scenario.set_now(scenario.now() + seconds(3) - std::chrono::nanoseconds(1));
    const auto fired = scenario.try_fire();
    ASSERT_TRUE(fired.ok());
    EXPECT_TRUE(fired->transition.empty);
}

TEST(Timers, TenThousandCostNoMoreOnEachStepThanOne) {
    Scenario scenario;
    scenario.start();
    std::vector<Command> commands;
    for (int i = 0; i < 10'000; ++i) {
        commands.push_back(start_timer("t" + std::to_string(i), hours(1) + milliseconds(i)));
    }
    scenario.run_task(std::move(commands));
    ASSERT_EQ(scenario.run().timers.size(), 10'000U);
    Builder builder(scenario.run(), scenario.context());
    // The index answers from its first entry: no change of the draft hides it.
    EXPECT_EQ(builder.draft().timers.earliest_deadline(), scenario.now() + hours(1));
    scenario.set_now(scenario.now() + hours(2));
    const auto fired = scenario.try_fire();
    ASSERT_TRUE(fired.ok());
    EXPECT_TRUE(fired->transition.draft.timers.empty());
}

}  // namespace
}  // namespace stele::history::testing
