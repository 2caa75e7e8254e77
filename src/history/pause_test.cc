#include "history/pause.h"
#include "history/activity_control.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using std::chrono::minutes;
using std::chrono::seconds;

const PauseInput kPause{"operator", "maintenance", "pause-1"};
const PauseInput kUnpause{"operator", "done", "unpause-1"};

class Pause : public ::testing::Test {
protected:
    Pause() { scenario_.start(); }
    void pause() { scenario_.apply(pause_workflow(scenario_.run(), kPause, scenario_.context())); }
    void unpause() {
        scenario_.apply(unpause_workflow(scenario_.run(), kUnpause, scenario_.context()));
    }
    std::string pause_info() const {
        const auto& fields = scenario_.run().attributes.search_attributes().indexed_fields();
        const auto found = fields.find("TemporalPauseInfo");
        return found == fields.end() ? "" : found->second.data();
    }

    Scenario scenario_;
};

TEST_F(Pause, FailsATaskThatNoWorkerHas) {
    pause();
    EXPECT_EQ(scenario_.text_after(2),
              "3 WorkflowTaskFailed WorkflowPauseRequestedBeforeTaskStarted\n"
              "4 WorkflowExecutionPaused\n");
    EXPECT_FALSE(scenario_.workflow_task_is_queued());
    unpause();
    EXPECT_EQ(scenario_.text_after(4), "5 WorkflowExecutionUnpaused\n6 WorkflowTaskScheduled\n");
    EXPECT_EQ(scenario_.run().header.task().attempt(), 1);
}

TEST_F(Pause, StandsBehindTheTaskThatAWorkerHas) {
    scenario_.start_task();
    pause();
    EXPECT_EQ(scenario_.run().header.status(), enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
    scenario_.complete_task({});
    EXPECT_EQ(scenario_.text_after(3), "4 WorkflowTaskCompleted\n5 WorkflowExecutionPaused\n");
    EXPECT_FALSE(scenario_.workflow_task_is_queued());
}

TEST_F(Pause, TheTaskThatAWorkerHasMayTimeOut) {
    scenario_.start_task();
    pause();
    scenario_.advance(seconds(11));
    EXPECT_EQ(scenario_.text_after(3), "4 WorkflowTaskTimedOut\n5 WorkflowExecutionPaused\n");
    unpause();
    EXPECT_EQ(scenario_.text_after(5), "6 WorkflowExecutionUnpaused\n7 WorkflowTaskScheduled\n");
    scenario_.run_task({complete_workflow()});
}

TEST_F(Pause, RefusesToKeepATaskAlive) {
    const StartedWorkflowTask started = scenario_.start_task();
    pause();
    service::RespondWorkflowTaskCompletedRequest request;
    request.set_force_create_new_workflow_task(true);
    const auto refused =
        complete_workflow_task(scenario_.run(), started.token, request, scenario_.context());
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(Pause, RecordsSignalsWithoutATask) {
    pause();
    scenario_.signal("hello");
    EXPECT_FALSE(scenario_.workflow_task_is_queued());
    unpause();
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
}

TEST_F(Pause, HoldsActivitiesBack) {
    scenario_.run_task({schedule_activity("waits"), schedule_activity("runs")});
    const ActivityToken held = scenario_.start_activity("runs").token;
    pause();
    EXPECT_EQ(scenario_.queued_activities(), 0U);
    scenario_.complete_activity(held);  // what a worker has may end
    unpause();
    EXPECT_TRUE(scenario_.activity_is_queued("waits"));
    EXPECT_EQ(scenario_.queued_activities(), 1U);
}

TEST_F(Pause, HoldsTheNextAttemptBack) {
    scenario_.run_task({schedule_activity("a")});
    const ActivityToken held = scenario_.start_activity("a").token;
    pause();
    scenario_.fail_activity(held, application_failure("boom"));
    scenario_.advance(seconds(5));
    EXPECT_EQ(scenario_.queued_activities(), 0U);
    EXPECT_EQ(scenario_.activity("a")->attempt(), 2);
    unpause();
    EXPECT_TRUE(scenario_.activity_is_queued("a"));
}

TEST_F(Pause, LetsAnActivityRunThatAnOperatorUnpauses) {
    scenario_.run_task({schedule_activity("a")});
    const ActivitySelector selector{ActivitySelector::By::kId, "a"};
    PauseActivityInput hold;
    hold.activities = selector;
    scenario_.apply(pause_activities(scenario_.run(), hold, scenario_.context()));
    pause();
    UnpauseActivityInput release;
    release.activities = selector;
    scenario_.apply(unpause_activities(scenario_.run(), release, scenario_.context()));
    ASSERT_TRUE(scenario_.activity_is_queued("a"));
    const ActivityToken held = scenario_.start_activity("a").token;
    scenario_.fail_activity(held, application_failure("boom"));
    scenario_.advance(seconds(5));
    EXPECT_FALSE(scenario_.activity_is_queued("a")) << "only that attempt";
    unpause();
    EXPECT_TRUE(scenario_.activity_is_queued("a"));
}

TEST_F(Pause, AnActivityThatRunsAlreadyIsNotQueuedTwice) {
    scenario_.run_task({schedule_activity("a")});
    pause();
    ResetActivityInput reset;
    reset.activities = {ActivitySelector::By::kId, "a"};
    scenario_.apply(reset_activities(scenario_.run(), reset, scenario_.context()));
    ASSERT_TRUE(scenario_.activity_is_queued("a"));
    unpause();
    EXPECT_EQ(scenario_.queued_activities(), 1U);
}

TEST_F(Pause, KeepsTheBackoffOfARetryThatIsStillToCome) {
    scenario_.run_task({schedule_activity("a")});
    const ActivityToken held = scenario_.start_activity("a").token;
    scenario_.fail_activity(held, application_failure("boom"));
    pause();
    unpause();
    EXPECT_FALSE(scenario_.activity_is_queued("a"));
    scenario_.advance(seconds(1));
    EXPECT_TRUE(scenario_.activity_is_queued("a"));
}

TEST_F(Pause, WhatIsScheduledMeanwhileWaits) {
    scenario_.start_task();
    pause();
    scenario_.complete_task({schedule_activity("a")});
    EXPECT_EQ(scenario_.queued_activities(), 0U);
    unpause();
    EXPECT_TRUE(scenario_.activity_is_queued("a"));
}

TEST_F(Pause, TimersFireAndTimeoutsApply) {
    scenario_.run_task({start_timer("t", minutes(1))});
    pause();
    scenario_.advance(minutes(2));
    EXPECT_TRUE(scenario_.run().timers.empty());
    EXPECT_FALSE(scenario_.workflow_task_is_queued());
}

TEST_F(Pause, TheSameRequestPausesOnce) {
    pause();
    const std::int64_t events = scenario_.last_event();
    pause();
    EXPECT_EQ(scenario_.last_event(), events);
    PauseInput other = kPause;
    other.request_id = "pause-2";
    const auto refused = pause_workflow(scenario_.run(), other, scenario_.context());
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(message_of(refused.status()), "workflow is already paused.");
}

TEST_F(Pause, OnlyAPausedRunCanBeUnpaused) {
    const auto refused = unpause_workflow(scenario_.run(), kUnpause, scenario_.context());
    EXPECT_EQ(message_of(refused.status()), "workflow is not paused.");
    scenario_.terminate();
    EXPECT_EQ(pause_workflow(scenario_.run(), kPause, scenario_.context()).status().code(),
              absl::StatusCode::kNotFound);
}

TEST_F(Pause, IsShownByASearchAttribute) {
    pause();
    EXPECT_EQ(pause_info(), R"(["Workflow:workflow","Reason:maintenance"])");
    const auto described = describe(scenario_.run());
    EXPECT_EQ(described.workflow_extended_info().pause_info().reason(), "maintenance");
    unpause();
    EXPECT_EQ(pause_info(), "");
    EXPECT_FALSE(describe(scenario_.run()).workflow_extended_info().has_pause_info());
}

TEST_F(Pause, APausedRunCanBeTerminated) {
    pause();
    scenario_.terminate();
    EXPECT_EQ(scenario_.run().header.status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
}

}  // namespace
}  // namespace stele::history::testing
