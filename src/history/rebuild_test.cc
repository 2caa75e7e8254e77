#include "history/invariants_testing.h"
#include "history/rebuild.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using std::chrono::minutes;
using std::chrono::seconds;

RunIdentity identity_of(const Run& run) {
    return {run.info.namespace_id(), run.info.namespace_(), run.info.run_id(),
            run.key(),               run.info.create_request_id(),
            from_proto(run.info.start_time())};
}

class RebuildTest : public ::testing::Test {
protected:
    /// The scenario's history, folded.
    history::Run folded() {
        Rebuild rebuild(identity_of(scenario_.run()), scenario_.limits());
        for (const EventBatch& batch : scenario_.batches()) {
            EXPECT_TRUE(rebuild.add(batch.bytes).ok());
        }
        return std::move(rebuild).take();
    }
    std::string told(const history::Run& run) { return rows_text(told_by_history(run)); }

    Scenario scenario_;
};

TEST_F(RebuildTest, KnowsWhatIsPending) {
    scenario_.start();
    scenario_.run_task({schedule_activity("a"), schedule_activity("b"), start_timer("t", minutes(5)),
                        signal_external("other", "go"), cancel_external("another")});
    scenario_.complete_activity(scenario_.start_activity("a").token);
    const history::Run run = folded();
    EXPECT_EQ(run.activities.size(), 1U);
    EXPECT_TRUE(run.activities.id_of("b").has_value());
    EXPECT_EQ(run.timers.size(), 1U);
    EXPECT_EQ(from_proto(run.timers.rows().begin()->second.fire_time()),
              scenario_.now() + minutes(5));
    EXPECT_EQ(run.external_signals.size(), 1U);
    EXPECT_EQ(run.external_cancels.size(), 1U);
    EXPECT_EQ(told(run), told(scenario_.run()));
}

TEST_F(RebuildTest, FollowsTheWorkflowTask) {
    scenario_.start();
    EXPECT_EQ(folded().header.task().scheduled_event_id(), 2);
    scenario_.start_task();
    EXPECT_EQ(folded().header.task().started_event_id(), 3);
    scenario_.complete_task({});
    EXPECT_EQ(folded().header.task().kind(), storage::TASK_KIND_NONE);
    EXPECT_EQ(folded().header.last_completed_task_started_event_id(), 3);
}

TEST_F(RebuildTest, RemembersWhichRequestsHaveBeenActedOn) {
    scenario_.start();
    scenario_.signal("one", "request-1");
    scenario_.signal("two", "request-2");
    const history::Run run = folded();
    EXPECT_EQ(run.header.signal_count(), 2);
    EXPECT_TRUE(run.request_ids.id_of("request-1").has_value());
    EXPECT_TRUE(run.request_ids.id_of("request-2").has_value());
}

TEST_F(RebuildTest, ForgetsWhatWasPendingWhenTheRunClosed) {
    scenario_.start();
    scenario_.run_task({schedule_activity("a"), start_timer("t", minutes(5))});
    scenario_.terminate();
    const history::Run run = folded();
    EXPECT_EQ(run.header.status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
    EXPECT_TRUE(run.activities.empty());
    EXPECT_TRUE(run.timers.empty());
    EXPECT_EQ(told(run), told(scenario_.run()));
}

TEST_F(RebuildTest, IsTheSameWhateverTheAttemptsOfAnActivity) {
    scenario_.start();
    scenario_.run_task({schedule_activity("a")});
    scenario_.fail_activity(scenario_.start_activity("a").token, application_failure("boom"));
    scenario_.advance(seconds(2));
    scenario_.start_activity("a");
    EXPECT_EQ(told(folded()), told(scenario_.run()));
}

TEST_F(RebuildTest, RefusesAHistoryWithAHole) {
    scenario_.start();
    scenario_.run_task({schedule_activity("a")});
    Rebuild rebuild(identity_of(scenario_.run()), scenario_.limits());
    ASSERT_TRUE(rebuild.add(scenario_.batches().front().bytes).ok());
    EXPECT_EQ(rebuild.add(scenario_.batches().back().bytes).code(), absl::StatusCode::kDataLoss);
}

TEST_F(RebuildTest, RefusesAnOutcomeOfWhatIsNotPending) {
    scenario_.start();
    Rebuild rebuild(identity_of(scenario_.run()), scenario_.limits());
    ASSERT_TRUE(rebuild.add(scenario_.batches().front().bytes).ok());
    api::history::v1::History history;
    HistoryEvent& event = *history.add_events();
    event.set_event_id(3);
    event.set_event_type(enums::EVENT_TYPE_TIMER_FIRED);
    event.mutable_timer_fired_event_attributes()->set_started_event_id(2);
    EXPECT_EQ(rebuild.add(history.SerializeAsString()).code(), absl::StatusCode::kDataLoss);
}

TEST_F(RebuildTest, RefusesEventsBehindTheClosingOne) {
    scenario_.start();
    scenario_.terminate();
    Rebuild rebuild(identity_of(scenario_.run()), scenario_.limits());
    for (const EventBatch& batch : scenario_.batches()) {
        ASSERT_TRUE(rebuild.add(batch.bytes).ok());
    }
    api::history::v1::History history;
    history.add_events()->set_event_id(scenario_.last_event() + 1);
    EXPECT_EQ(rebuild.add(history.SerializeAsString()).code(), absl::StatusCode::kDataLoss);
}

TEST_F(RebuildTest, RefusesBytesThatAreNoEvents) {
    Rebuild rebuild({}, scenario_.limits());
    EXPECT_EQ(rebuild.add("nonsense").code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace stele::history::testing
