#include "history/reset.h"
#include "history/invariants_testing.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using api::history::v1::History;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// What a shard reads for a reset to `finish`.
ResetInput input_for(const Scenario& scenario, std::int64_t finish,
                     const ReapplyExclusions& excluded = {}) {
    ResetInput input;
    const storage::InfoRow& info = scenario.run().info;
    input.identity = {info.namespace_id(), info.namespace_(),        "run-reset",
                      RunKey(77),          info.create_request_id(), scenario.now()};
    input.base_run_id = info.run_id();
    input.request_id = "reset-1";
    input.reason = "wrong turn";
    input.finish = EventId(finish);
    for (const EventBatch& batch : scenario.batches()) {
        if (batch.first < input.finish) input.kept.push_back(batch);
    }
    for (const HistoryEvent& event : scenario.history().events()) {
        if (event.event_id() >= finish && is_reapplied(event, excluded)) {
            input.later.push_back(event);
        }
    }
    return input;
}

/// The new run as the shard would have it, and its history.
struct NewState {
    std::unique_ptr<Run> run;
    std::vector<EventBatch> batches;
    History history;
    std::vector<DispatchTask> dispatch;
    std::vector<storage::OutboxRow> outbox;
};

NewState settle(absl::StatusOr<NewRun> made) {
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    NewState state;
    state.batches = made->transition->events;
    state.dispatch = made->transition->dispatch;
    state.outbox = made->transition->outbox;
    for (const EventBatch& batch : state.batches) {
        History part;
        EXPECT_TRUE(part.ParseFromString(batch.bytes));
        state.history.MergeFrom(part);
    }
    state.run = std::move(made->run);
    apply(*state.run, *made->transition);
    check_history(state.history);
    check_fold(*state.run, state.batches);
    return state;
}

class Reset : public ::testing::Test {
protected:
    Reset() { scenario_.start(); }
    NewState reset(std::int64_t finish, const ReapplyExclusions& excluded = {}) {
        return settle(reset_run(input_for(scenario_, finish, excluded), scenario_.context()));
    }
    std::string refusal(std::int64_t finish) {
        const auto made = reset_run(input_for(scenario_, finish), scenario_.context());
        EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
        return message_of(made.status());
    }

    Scenario scenario_;
};

TEST_F(Reset, TriesTheWorkflowTaskAgain) {
    scenario_.run_task({schedule_activity("a")});
    const NewState state = reset(4);
    EXPECT_EQ(to_text(state.history),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowTaskScheduled\n"
              "3 WorkflowTaskStarted\n"
              "4 WorkflowTaskFailed ResetWorkflow\n"
              "5 WorkflowTaskScheduled\n");
    const auto& failed = state.history.events(3).workflow_task_failed_event_attributes();
    EXPECT_EQ(failed.base_run_id(), "run-1");
    EXPECT_EQ(failed.new_run_id(), "run-reset");
    EXPECT_EQ(failed.failure().message(), "wrong turn");
    EXPECT_TRUE(failed.failure().has_reset_workflow_failure_info());
    EXPECT_EQ(state.run->header.task().attempt(), 1);
    ASSERT_EQ(state.dispatch.size(), 1U);
    EXPECT_EQ(state.dispatch[0].kind, QueueKind::kWorkflow);
}

TEST_F(Reset, StartsATaskThatNoWorkerHad) {
    scenario_.run_task({});
    const NewState state = reset(3);
    EXPECT_EQ(to_text(state.history),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowTaskScheduled\n"
              "3 WorkflowTaskStarted\n"
              "4 WorkflowTaskFailed ResetWorkflow\n"
              "5 WorkflowTaskScheduled\n");
}

TEST_F(Reset, KeepsTheHistoryInFrontByteForByte) {
    scenario_.run_task({schedule_activity("a")});
    const NewState state = reset(4);
    ASSERT_EQ(state.batches.size(), 3U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(state.batches[i].bytes, scenario_.batches()[i].bytes);
    }
}

TEST_F(Reset, OnlyWhereATaskIsUnderWay) {
    scenario_.run_task({start_timer("t", minutes(1))});
    scenario_.advance(minutes(1));
    EXPECT_EQ(refusal(6),
              "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, "
              "WorkflowTaskStarted + 1]: 6");
}

TEST_F(Reset, NotInsideABatch) {
    scenario_.run_task({});
    EXPECT_EQ(refusal(2),
              "StateRebuilder unable to Rebuild mutable state to event ID: 1, version: 0, this "
              "event must be at the boundary");
}

TEST_F(Reset, ReappliesSignalsInTheirOrder) {
    scenario_.run_task({});
    scenario_.signal("one", "request-1");
    scenario_.signal("two", "request-2");
    const NewState state = reset(4);
    EXPECT_EQ(to_text(state.history).substr(to_text(state.history).find("5 ")),
              "5 WorkflowExecutionSignaled one\n"
              "6 WorkflowExecutionSignaled two\n"
              "7 WorkflowTaskScheduled\n");
    EXPECT_EQ(state.run->header.signal_count(), 2);
    EXPECT_TRUE(state.run->request_ids.id_of("request-2").has_value());
}

TEST_F(Reset, LeavesOutWhatIsExcluded) {
    scenario_.run_task({});
    scenario_.signal("one");
    ReapplyExclusions excluded;
    excluded.signals = true;
    EXPECT_EQ(reset(4, excluded).run->header.signal_count(), 0);
}

TEST_F(Reset, ASignalInFrontOfThePointIsNotAppliedTwice) {
    scenario_.signal("early", "request-1");
    scenario_.run_task({});
    EXPECT_EQ(reset(5).run->header.signal_count(), 1);
}

TEST_F(Reset, ASignalThatWasSentAgainToASuccessorIsNotAppliedTwice) {
    scenario_.signal("early", "request-1");
    scenario_.run_task({});
    ResetInput input = input_for(scenario_, 5);
    HistoryEvent of_successor;
    of_successor.set_event_id(3);
    of_successor.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
    auto& attributes = *of_successor.mutable_workflow_execution_signaled_event_attributes();
    attributes.set_signal_name("early");
    attributes.set_request_id("request-1");
    input.later.push_back(of_successor);
    attributes.set_request_id("request-2");
    input.later.push_back(of_successor);
    EXPECT_EQ(settle(reset_run(std::move(input), scenario_.context())).run->header.signal_count(),
              2);
}

TEST_F(Reset, PendingActivitiesWaitAgainFromNow) {
    scenario_.run_task({schedule_activity("a"), schedule_activity("b")});
    scenario_.complete_activity(scenario_.start_activity("a").token);
    scenario_.run_task({});
    scenario_.advance(seconds(5));
    const NewState state = reset(9 + 1);
    EXPECT_EQ(state.run->activities.size(), 1U);
    const storage::ActivityRow& row = state.run->activities.rows().begin()->second;
    EXPECT_EQ(row.activity_id(), "b");
    EXPECT_EQ(row.attempt(), 1);
    EXPECT_EQ(from_proto(row.first_scheduled_time()), scenario_.now());
    EXPECT_NE(row.dispatch_sequence(), 0);
    EXPECT_EQ(state.dispatch.size(), 2U);
}

TEST_F(Reset, TimersKeepTheTimeAtWhichTheyFire) {
    scenario_.run_task({start_timer("t", hours(1))});
    scenario_.signal("go");
    scenario_.run_task({});
    const Timestamp due = from_proto(scenario_.run().timers.rows().begin()->second.fire_time());
    scenario_.advance(minutes(30));
    const NewState state = reset(9);
    ASSERT_EQ(state.run->timers.size(), 1U);
    EXPECT_EQ(from_proto(state.run->timers.rows().begin()->second.fire_time()), due);
}

TEST_F(Reset, RequestsToOthersAreSentAgain) {
    scenario_.run_task({signal_external("other", "go")});
    scenario_.signal("go");
    scenario_.run_task({});
    const std::string before = scenario_.run().external_signals.rows().begin()->second.request_id();
    const NewState state = reset(9);
    ASSERT_EQ(state.outbox.size(), 1U);
    EXPECT_EQ(state.outbox[0].run_key(), 77);
    EXPECT_NE(state.run->external_signals.rows().begin()->second.request_id(), before);
}

TEST(ResetOfATimedRun, TimeoutsCountAnew) {
    Scenario scenario;
    scenario.start([](StartInput& input) {
        *input.request.mutable_workflow_execution_timeout() = to_proto(minutes(2));
        *input.request.mutable_workflow_run_timeout() = to_proto(minutes(1));
    });
    scenario.run_task({});
    scenario.advance(minutes(1));
    EXPECT_EQ(scenario.run().header.status(), enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
    scenario.advance(hours(1));
    const NewState state = settle(reset_run(input_for(scenario, 4), scenario.context()));
    EXPECT_TRUE(state.run->is_open());
    EXPECT_EQ(from_proto(state.run->info.run_expiration()), scenario.now() + minutes(1));
    EXPECT_EQ(from_proto(state.run->info.execution_expiration()), scenario.now() + minutes(2));
}

TEST_F(Reset, KnowsWhereItComesFrom) {
    scenario_.run_task({});
    scenario_.advance(minutes(1));
    const NewState state = reset(4);
    const auto described = describe(*state.run);
    const auto& info = described.workflow_extended_info();
    EXPECT_EQ(from_proto(info.last_reset_time()), scenario_.now());
    EXPECT_EQ(from_proto(info.original_start_time()), scenario_.now() - minutes(1));
    EXPECT_EQ(described.workflow_execution_info().first_run_id(), "run-1");
    EXPECT_EQ(state.run->info.reset_request_id(), "reset-1");
    EXPECT_EQ(state.run->info.create_request_id(), scenario_.run().info.create_request_id());
}

TEST_F(Reset, OptionsChangeAfterIt) {
    scenario_.run_task({});
    ResetInput input = input_for(scenario_, 4);
    auto& update = *input.operations.Add()->mutable_update_workflow_options();
    update.mutable_workflow_execution_options()->mutable_priority()->set_priority_key(2);
    update.mutable_update_mask()->add_paths("priority");
    const NewState state = settle(reset_run(std::move(input), scenario_.context()));
    EXPECT_EQ(state.run->info.priority().priority_key(), 2);
    EXPECT_EQ(state.history.events(4).event_type(),
              enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
    EXPECT_EQ(state.dispatch.back().row.priority().priority_key(), 2);
}

TEST_F(Reset, TheRunThatGivesWaySaysSo) {
    const auto ended =
        terminate_for_reset(scenario_.run(), "wrong turn", "run-reset", scenario_.context());
    ASSERT_TRUE(ended.ok());
    EXPECT_TRUE(ended->transition.draft.header.was_reset());
    scenario_.apply(
        terminate_for_reset(scenario_.run(), "wrong turn", "run-reset", scenario_.context()));
    const auto& event = scenario_.history().events(static_cast<int>(scenario_.last_event()) - 1);
    EXPECT_EQ(event.workflow_execution_terminated_event_attributes().identity(),
              "history-resetter");
}

TEST_F(Reset, AClosedRunMayBeLinkedToItsReset) {
    scenario_.terminate();
    scenario_.apply(absl::StatusOr<Applied<None>>(
        link_reset_run(scenario_.run(), "run-reset", scenario_.context())));
    EXPECT_EQ(describe(scenario_.run()).workflow_extended_info().reset_run_id(), "run-reset");
}

TEST(ReapplyExclusionsOf, CombinesBothFields) {
    service::ResetWorkflowExecutionRequest request;
    EXPECT_FALSE(reapply_exclusions(request).signals);
    request.set_reset_reapply_type(enums::RESET_REAPPLY_TYPE_SIGNAL);
    EXPECT_TRUE(reapply_exclusions(request).updates);
    EXPECT_FALSE(reapply_exclusions(request).signals);
    request.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL);
    request.add_reset_reapply_exclude_types(enums::RESET_REAPPLY_EXCLUDE_TYPE_NEXUS);
    EXPECT_TRUE(reapply_exclusions(request).all());
}

}  // namespace
}  // namespace stele::history::testing
