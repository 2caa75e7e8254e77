#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using namespace testing;

// What the server says of a run by search attributes, and what it does when a run has too much.
class ReportedProblemsTest : public ::testing::Test, protected Scenario {
protected:
    void fail_task(enums::WorkflowTaskFailedCause cause) {
        service::RespondWorkflowTaskFailedRequest request;
        request.set_cause(cause);
        apply(fail_workflow_task(run(), start_task().token, request, context()));
    }
    std::string problems() const {
        const auto& fields = run().attributes.search_attributes().indexed_fields();
        const auto found = fields.find("TemporalReportedProblems");
        return found == fields.end() ? "" : found->second.data();
    }
    static constexpr auto kUnhandled =
        enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE;
};

TEST_F(ReportedProblemsTest, FiveProblemsInARowAreReported) {
    start();
    for (int i = 0; i < 4; ++i) fail_task(kUnhandled);
    EXPECT_EQ(problems(), "");
    fail_task(kUnhandled);
    EXPECT_EQ(problems(), R"(["category=WorkflowTaskFailed",)"
                          R"("cause=WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure"])");
}

TEST_F(ReportedProblemsTest, ACompletedTaskEndsTheReport) {
    limits().reported_task_problems = 1;
    start();
    fail_task(kUnhandled);
    EXPECT_NE(problems(), "");
    run_task({start_timer("t", std::chrono::hours(1))});
    EXPECT_EQ(problems(), "");
    signal("s");
    fail_task(kUnhandled);
    EXPECT_NE(problems(), "") << "and counting begins again";
}

TEST_F(ReportedProblemsTest, EventsBetweenProblemsDoNotHideThem) {
    limits().reported_task_problems = 2;
    start();
    fail_task(kUnhandled);
    signal("s");
    fail_task(kUnhandled);
    EXPECT_NE(problems(), "");
}

TEST_F(ReportedProblemsTest, ATimeoutIsReportedAsOne) {
    limits().reported_task_problems = 1;
    start();
    start_task();
    advance(std::chrono::seconds(11));
    EXPECT_EQ(problems(), R"(["category=WorkflowTaskTimedOut",)"
                          R"("cause=WorkflowTaskTimedOutCauseStartToClose"])");
}

TEST_F(ReportedProblemsTest, ZeroReportsNothing) {
    limits().reported_task_problems = 0;
    start();
    for (int i = 0; i < 9; ++i) fail_task(kUnhandled);
    EXPECT_EQ(problems(), "");
}

TEST_F(ReportedProblemsTest, TooMuchStateTerminatesTheRunInsteadOfGrowing) {
    start();
    limits().state_bytes = run().info.ByteSizeLong() + 1'000;
    Command large = schedule_activity("large");
    *large.mutable_schedule_activity_task_command_attributes()->mutable_input() =
        payloads(std::string(2'000, 'x'));
    service::RespondWorkflowTaskCompletedRequest request;
    *request.add_commands() = large;
    const StartedWorkflowTask started = start_task();
    auto applied = complete_workflow_task(run(), started.token, request, context());
    ASSERT_TRUE(applied.ok());
    EXPECT_EQ(applied->transition.overruled,
              invalid_argument("Workflow mutable state size exceeds limit."));
    apply(std::move(applied));
    EXPECT_EQ(text_after(3),
              "4 WorkflowTaskFailed ForceCloseCommand\n"
              "5 WorkflowExecutionTerminated \"Workflow mutable state size exceeds limit.\"\n");
}

TEST_F(ReportedProblemsTest, ATooLargeHistoryTakesNothingMore) {
    start();
    signal("s");
    limits().history_bytes = 1;
    const auto refused = signal_workflow(run(), SignalInput{}, context());
    ASSERT_TRUE(refused.ok());
    EXPECT_EQ(refused->transition.overruled,
              invalid_argument("Workflow history size exceeds limit."));
    EXPECT_TRUE(refused->transition.closed);
}

}  // namespace
}  // namespace stele::history
