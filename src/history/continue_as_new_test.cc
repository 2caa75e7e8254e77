#include "history/invariants_testing.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using Started = api::history::v1::WorkflowExecutionStartedEventAttributes;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

Command continue_as_new() {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
    auto& attributes = *command.mutable_continue_as_new_workflow_execution_command_attributes();
    *attributes.mutable_input() = payloads("next");
    return command;
}

Command fail_workflow(const std::string& message) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
    *command.mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
        application_failure(message);
    return command;
}

/// The transition that closes the run, and what its successor begins with.
class SuccessorTest : public ::testing::Test {
protected:
    void run_last_task(Command command) {
        const StartedWorkflowTask task = scenario_.start_task();
        service::RespondWorkflowTaskCompletedRequest request;
        *request.add_commands() = std::move(command);
        auto applied =
            complete_workflow_task(scenario_.run(), task.token, request, scenario_.context());
        ASSERT_TRUE(applied.ok()) << message_of(applied.status());
        ASSERT_TRUE(applied->reply.refusal.ok()) << message_of(applied->reply.refusal);
        ASSERT_TRUE(applied->transition.closed);
        if (!applied->transition.successor.empty()) take(applied->transition.successor[0]);
        successors_ = applied->transition.successor.size();
        closing_run_id_ = applied->transition.draft.header.successor_run_id();
    }
    void take(NewRun& successor) {
        const std::string bytes = successor.transition->events.at(0).bytes;
        ASSERT_TRUE(history_.ParseFromString(bytes));
        run_ = std::move(successor.run);
        alarm_ = successor.transition->alarm;
        dispatched_ = successor.transition->dispatch.size();
        history::apply(*run_, *successor.transition);
        check_history(history_);
        check_rows_against_history(*run_, history_);
    }
    const Started& started() const {
        return history_.events(0).workflow_execution_started_event_attributes();
    }

    Scenario scenario_;
    std::unique_ptr<history::Run> run_;
    api::history::v1::History history_;
    Timestamp alarm_;
    std::size_t dispatched_ = 0;
    std::size_t successors_ = 0;
    std::string closing_run_id_;
};

TEST_F(SuccessorTest, ContinueAsNewCarriesOnInANewRun) {
    scenario_.start([](StartInput& input) {
        *input.request.mutable_workflow_execution_timeout() = to_proto(hours(5));
        *input.request.mutable_workflow_run_timeout() = to_proto(hours(1));
    });
    const Timestamp begun = scenario_.now();
    scenario_.advance(seconds(5));
    run_last_task(continue_as_new());
    ASSERT_NE(run_, nullptr);
    EXPECT_EQ(closing_run_id_, run_->info.run_id());
    EXPECT_EQ(run_->info.workflow_id(), "workflow");
    EXPECT_EQ(started().workflow_type().name(), "type");
    EXPECT_EQ(started().input().payloads(0).data(), "next");
    EXPECT_EQ(started().continued_execution_run_id(), "run-1");
    EXPECT_EQ(started().first_execution_run_id(), "run-1");
    EXPECT_EQ(started().original_execution_run_id(), run_->info.run_id());
    EXPECT_EQ(started().initiator(), enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
    EXPECT_EQ(from_proto(started().workflow_run_timeout()), hours(1));
    EXPECT_EQ(from_proto(started().workflow_execution_expiration_time()), begun + hours(5));
    EXPECT_EQ(history_.events(1).event_type(), enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    EXPECT_EQ(dispatched_, 1U);
}

TEST_F(SuccessorTest, ARunThatContinuesAtOnceWaitsForTheRestOfASecond) {
    scenario_.start();
    scenario_.advance(milliseconds(300));
    run_last_task(continue_as_new());
    EXPECT_EQ(from_proto(started().first_workflow_task_backoff()), milliseconds(700));
    EXPECT_EQ(history_.events_size(), 1);
    EXPECT_EQ(dispatched_, 0U);
    EXPECT_EQ(alarm_, scenario_.now() + milliseconds(700));
}

TEST_F(SuccessorTest, AFailedRunWithAPolicyIsTriedAgain) {
    scenario_.start([](StartInput& input) {
        auto& policy = *input.request.mutable_retry_policy();
        *policy.mutable_initial_interval() = to_proto(seconds(2));
        policy.set_backoff_coefficient(2);
        policy.set_maximum_attempts(2);
        *input.request.mutable_input() = payloads("the same");
    });
    run_last_task(fail_workflow("boom"));
    ASSERT_NE(run_, nullptr);
    EXPECT_EQ(started().attempt(), 2);
    EXPECT_EQ(started().initiator(), enums::CONTINUE_AS_NEW_INITIATOR_RETRY);
    EXPECT_EQ(started().input().payloads(0).data(), "the same");
    EXPECT_EQ(started().continued_failure().message(), "boom");
    EXPECT_GT(from_proto(started().first_workflow_task_backoff()), seconds(1));
}

TEST_F(SuccessorTest, AFailedRunWithoutAPolicyStaysFailed) {
    scenario_.start();
    run_last_task(fail_workflow("boom"));
    EXPECT_EQ(successors_, 0U);
    EXPECT_EQ(run_, nullptr);
}

TEST_F(SuccessorTest, ATimedOutRunWithAPolicyIsTriedAgain) {
    scenario_.start([](StartInput& input) {
        *input.request.mutable_retry_policy()->mutable_initial_interval() = to_proto(seconds(1));
        input.request.mutable_retry_policy()->set_backoff_coefficient(2);
        *input.request.mutable_workflow_run_timeout() = to_proto(seconds(30));
    });
    scenario_.set_now(scenario_.now() + seconds(30));
    auto fired = scenario_.try_fire();
    ASSERT_TRUE(fired.ok());
    ASSERT_EQ(fired->transition.successor.size(), 1U);
    take(fired->transition.successor[0]);
    EXPECT_EQ(started().attempt(), 2);
    EXPECT_TRUE(started().continued_failure().has_timeout_failure_info());
}

// ---- Cron schedules --------------------------------------------------------------------------

Command complete_with(const std::string& result) {
    Command command = complete_workflow();
    *command.mutable_complete_workflow_execution_command_attributes()->mutable_result() =
        payloads(result);
    return command;
}

void every_ten_seconds(StartInput& input) {
    input.request.set_cron_schedule("@every 10s");
    *input.request.mutable_input() = payloads("the same");
}

TEST_F(SuccessorTest, AScheduledRunWaitsForItsFirstTime) {
    scenario_.start(every_ten_seconds);
    const auto& first = scenario_.history().events(0).workflow_execution_started_event_attributes();
    EXPECT_EQ(from_proto(first.first_workflow_task_backoff()), seconds(10));
    EXPECT_EQ(first.initiator(), enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
    EXPECT_EQ(first.cron_schedule(), "@every 10s");
    EXPECT_EQ(scenario_.last_event(), 1);
    scenario_.advance(seconds(10));
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
}

TEST_F(SuccessorTest, AScheduledRunThatCompletesBeginsAgainWithItsResult) {
    scenario_.start(every_ten_seconds);
    scenario_.advance(seconds(13));
    run_last_task(complete_with("result"));
    ASSERT_NE(run_, nullptr);
    EXPECT_EQ(from_proto(started().first_workflow_task_backoff()), seconds(7));
    EXPECT_EQ(started().last_completion_result().payloads(0).data(), "result");
    EXPECT_FALSE(started().has_continued_failure());
    EXPECT_EQ(started().input().payloads(0).data(), "the same");
    EXPECT_EQ(started().initiator(), enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE);
    EXPECT_EQ(started().attempt(), 1);
}

TEST_F(SuccessorTest, AScheduledRunThatFailsKeepsTheOlderResult) {
    scenario_.start([](StartInput& input) {
        every_ten_seconds(input);
        *input.request.mutable_last_completion_result() = payloads("older");
    });
    scenario_.advance(seconds(10));
    run_last_task(fail_workflow("boom"));
    EXPECT_EQ(started().last_completion_result().payloads(0).data(), "older");
    EXPECT_EQ(started().continued_failure().message(), "boom");
}

TEST_F(SuccessorTest, ARetryGoesBeforeTheSchedule) {
    scenario_.start([](StartInput& input) {
        every_ten_seconds(input);
        input.request.mutable_retry_policy()->set_maximum_attempts(2);
    });
    scenario_.advance(seconds(10));
    run_last_task(fail_workflow("boom"));
    EXPECT_EQ(started().initiator(), enums::CONTINUE_AS_NEW_INITIATOR_RETRY);
    EXPECT_EQ(started().attempt(), 2);
}

TEST_F(SuccessorTest, AScheduledRunThatTimesOutBeginsAgain) {
    scenario_.start([](StartInput& input) {
        every_ten_seconds(input);
        *input.request.mutable_workflow_run_timeout() = to_proto(seconds(3));
    });
    scenario_.set_now(scenario_.now() + seconds(13));
    auto fired = scenario_.try_fire();
    ASSERT_TRUE(fired.ok());
    ASSERT_EQ(fired->transition.successor.size(), 1U);
    take(fired->transition.successor[0]);
    EXPECT_EQ(from_proto(started().first_workflow_task_backoff()), seconds(7));
    EXPECT_TRUE(started().continued_failure().has_timeout_failure_info());
}

TEST_F(SuccessorTest, TerminationEndsASchedule) {
    scenario_.start(every_ten_seconds);
    TerminateInput input;
    const auto applied = terminate_workflow(scenario_.run(), input, scenario_.context());
    ASSERT_TRUE(applied.ok());
    EXPECT_TRUE(applied->transition.successor.empty());
}

TEST_F(SuccessorTest, CancellationEndsASchedule) {
    scenario_.start(every_ten_seconds);
    scenario_.advance(seconds(10));
    Command cancel;
    cancel.set_command_type(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION);
    cancel.mutable_cancel_workflow_execution_command_attributes();
    run_last_task(cancel);
    EXPECT_EQ(successors_, 0U);
}

TEST_F(SuccessorTest, EveryRunOfAChainHasTheLinksOfTheFirst) {
    scenario_.start([](StartInput& input) {
        input.request.add_links()->mutable_workflow_event()->set_workflow_id("caller");
    });
    run_last_task(continue_as_new());
    ASSERT_EQ(history_.events(0).links_size(), 1);
    EXPECT_EQ(history_.events(0).links(0).workflow_event().workflow_id(), "caller");
}

TEST_F(SuccessorTest, TaskIdsGrowFromRunToRun) {
    scenario_.start();
    run_last_task(continue_as_new());
    std::int64_t last = 0;
    for (const api::history::v1::History* history : {&scenario_.history(), &std::as_const(history_)}) {
        for (const HistoryEvent& event : history->events()) {
            EXPECT_GT(event.task_id(), last);
            last = event.task_id();
        }
    }
}

TEST_F(SuccessorTest, CallbacksGoOnInTheNextRun) {
    scenario_.start([](StartInput& input) {
        input.request.add_completion_callbacks()->mutable_nexus()->set_url("https://waits");
    });
    run_last_task(continue_as_new());
    ASSERT_EQ(started().completion_callbacks_size(), 1);
    EXPECT_EQ(run_->callbacks.size(), 1U);
    EXPECT_TRUE(scenario_.outbox().empty());
}

}  // namespace
}  // namespace stele::history::testing
