#include "history/scenario_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using namespace testing;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kGone[] =
    "invalid activityID or activity already timed out or invoking workflow is completed";

// The first activity that a test schedules in its first task.
constexpr std::int64_t kFirstActivity = 5;

class ActivityTest : public ::testing::Test, protected Scenario {
protected:
    /// Schedules one activity in the first workflow task.
    void schedule(Command command = schedule_activity("a")) {
        start();
        run_task({std::move(command)});
    }

    static api::command::v1::ScheduleActivityTaskCommandAttributes& attributes(Command& command) {
        return *command.mutable_schedule_activity_task_command_attributes();
    }
    static Command with_attempts(std::int32_t attempts) {
        Command command = schedule_activity("a");
        attributes(command).mutable_retry_policy()->set_maximum_attempts(attempts);
        return command;
    }

    absl::Status try_complete(const ActivityToken& token) {
        return history::complete_activity(run(), token, {}, "worker", context()).status();
    }
    absl::Status try_fail(const ActivityToken& token) {
        return history::fail_activity(run(), token, application_failure("boom"), std::nullopt,
                                      "worker", context())
            .status();
    }
    absl::Status try_cancel(const ActivityToken& token) {
        return cancel_activity(run(), token, {}, "worker", context()).status();
    }
    HeartbeatReply heartbeat(const ActivityToken& token, const std::string& details = "beat") {
        return apply(record_heartbeat(run(), token, payloads(details), "worker", context()));
    }
};

// ---- Starting and completing ---------------------------------------------------------------

TEST_F(ActivityTest, StartLeavesNoEventUntilTheOutcomeIsKnown) {
    schedule();
    const std::int64_t scheduled = last_event();
    const StartedActivity started = start_activity("a");
    EXPECT_EQ(last_event(), scheduled);
    EXPECT_FALSE(activity_is_queued("a"));
    EXPECT_EQ(started.token.attempt, 1);
    EXPECT_EQ(started.row.input().payloads(0).data(), "input of a");
    EXPECT_EQ(started.row.activity_type(), "work");

    const Timestamp start = now();
    advance(seconds(3));
    complete_activity(started.token);
    EXPECT_EQ(text(),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowTaskScheduled\n"
              "3 WorkflowTaskStarted\n"
              "4 WorkflowTaskCompleted\n"
              "5 ActivityTaskScheduled a\n"
              "6 ActivityTaskStarted of 5 attempt 1\n"
              "7 ActivityTaskCompleted of 5 from 6\n"
              "8 WorkflowTaskScheduled\n");
    EXPECT_EQ(from_proto(history().events(5).event_time()), start) << "when it really started";
    EXPECT_EQ(from_proto(history().events(6).event_time()), now());
    EXPECT_EQ(history().events(5).activity_task_started_event_attributes().identity(),
              "activity worker");
    EXPECT_EQ(
        history().events(6).activity_task_completed_event_attributes().result().payloads(0).data(),
        "result");
    EXPECT_TRUE(run().activities.empty());
}

TEST_F(ActivityTest, ThePollThatStartedItMayAskAgainAndNobodyElse) {
    schedule();
    StartActivityInput poll{EventId(kFirstActivity), run().activities.find(kFirstActivity)->stamp(),
                            "poll", "worker"};
    const StartedActivity first = apply(history::start_activity(run(), poll, context()));
    advance(milliseconds(1));
    const auto again = history::start_activity(run(), poll, context());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->transition.empty);
    EXPECT_EQ(again->reply.row.started_time().nanos(), first.row.started_time().nanos());

    poll.request_id = "another poll";
    EXPECT_EQ(history::start_activity(run(), poll, context()).status().code(),
              absl::StatusCode::kNotFound);
}

TEST_F(ActivityTest, ARepeatedCompletionIsNotFound) {
    schedule();
    const StartedActivity started = start_activity("a");
    complete_activity(started.token);
    const std::string before = text();
    EXPECT_EQ(try_complete(started.token), not_found(kGone));
    EXPECT_EQ(try_fail(started.token), not_found(kGone));
    EXPECT_EQ(text(), before);
}

TEST_F(ActivityTest, ACompletionOfAClosedRunSaysSo) {
    schedule();
    const StartedActivity started = start_activity("a");
    terminate();
    EXPECT_EQ(try_complete(started.token), not_found("workflow execution already completed"));
    EXPECT_EQ(try_complete(by_id("a")), not_found("workflow execution already completed"));
}

// ---- By id ---------------------------------------------------------------------------------

TEST_F(ActivityTest, ACompletionByIdOfAnUnstartedActivityMakesItsStart) {
    schedule();
    apply(history::complete_activity(run(), by_id("a"), payloads("r"), "operator", context()));
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskStarted of 5 attempt 1\n"
              "7 ActivityTaskCompleted of 5 from 6\n"
              "8 WorkflowTaskScheduled\n");
    EXPECT_EQ(history().events(5).activity_task_started_event_attributes().identity(), "operator");
    EXPECT_EQ(queued_activities(), 0U);
}

TEST_F(ActivityTest, OtherOutcomesByIdNeedAStart) {
    schedule();
    EXPECT_EQ(try_fail(by_id("a")), not_found(kGone));
    EXPECT_EQ(try_cancel(by_id("a")), not_found(kGone));
    EXPECT_EQ(record_heartbeat(run(), by_id("a"), {}, "", context()).status(), not_found(kGone));
    start_activity("a");
    EXPECT_TRUE(record_heartbeat(run(), by_id("a"), {}, "", context()).ok());
    EXPECT_TRUE(try_fail(by_id("a")).ok());
}

TEST_F(ActivityTest, AnUnknownIdIsNotFound) {
    schedule();
    EXPECT_EQ(try_complete(by_id("b")),
              not_found("cannot find pending activity with ActivityID b, check workflow execution "
                        "history for more details"));
    EXPECT_EQ(try_complete(by_id("")), invalid_argument("activityID cannot be empty"));
}

// ---- Retries -------------------------------------------------------------------------------

TEST_F(ActivityTest, RetriesLiveInStateOnly) {
    schedule();
    const std::int64_t scheduled = last_event();
    fail_activity(start_activity("a").token, application_failure("first"));
    EXPECT_EQ(last_event(), scheduled);
    EXPECT_FALSE(activity_is_queued("a"));
    EXPECT_FALSE(workflow_task_is_queued());

    advance(seconds(1));
    fail_activity(start_activity("a").token, application_failure("second"));
    advance(seconds(2));
    complete_activity(start_activity("a").token);
    EXPECT_EQ(text_after(scheduled),
              "6 ActivityTaskStarted of 5 attempt 3 after \"second\"\n"
              "7 ActivityTaskCompleted of 5 from 6\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, NoRetryBeginsBeforeItsBackoffIsOver) {
    schedule();
    for (const seconds backoff : {seconds(1), seconds(2), seconds(4), seconds(8)}) {
        fail_activity(start_activity("a").token, application_failure("boom"));
        advance(backoff - Duration(1));
        EXPECT_FALSE(activity_is_queued("a")) << "after " << backoff.count() << " s";
        EXPECT_TRUE(try_fire()->transition.empty);
        advance(Duration(1));
        EXPECT_TRUE(activity_is_queued("a")) << "after " << backoff.count() << " s";
    }
}

TEST_F(ActivityTest, TheWorkerMayAskForAnotherDelay) {
    schedule();
    api::failure::v1::Failure failure = application_failure("later");
    *failure.mutable_application_failure_info()->mutable_next_retry_delay() =
        to_proto(seconds(300));
    fail_activity(start_activity("a").token, failure);
    advance(seconds(299));
    EXPECT_FALSE(activity_is_queued("a"));
    advance(seconds(1));
    EXPECT_TRUE(activity_is_queued("a"));
}

TEST_F(ActivityTest, AnImmediateRetryIsNotToBeHad) {
    schedule();
    api::failure::v1::Failure failure = application_failure("now");
    failure.mutable_application_failure_info()->mutable_next_retry_delay();
    fail_activity(start_activity("a").token, failure);
    EXPECT_EQ(text_after(6),
              "7 ActivityTaskFailed of 5 from 6 \"now\" Timeout\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, TheLastAttemptFailsTheActivity) {
    schedule(with_attempts(2));
    fail_activity(start_activity("a").token, application_failure("first"));
    advance(seconds(1));
    fail_activity(start_activity("a").token, application_failure("second"));
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskStarted of 5 attempt 2 after \"first\"\n"
              "7 ActivityTaskFailed of 5 from 6 \"second\" MaximumAttemptsReached\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, AFailureThatForbidsItIsNotRetried) {
    schedule();
    fail_activity(start_activity("a").token, application_failure("fatal", true));
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskStarted of 5 attempt 1\n"
              "7 ActivityTaskFailed of 5 from 6 \"fatal\" NonRetryableFailure\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, AFailureIsFinalWhenNoTimeIsLeftForAnotherAttempt) {
    Command command = schedule_activity("a");
    *attributes(command).mutable_schedule_to_close_timeout() = to_proto(seconds(5));
    schedule(std::move(command));
    const StartedActivity started = start_activity("a");
    advance(seconds(4) + milliseconds(500));
    fail_activity(started.token, application_failure("late"));
    EXPECT_EQ(text_after(kFirstActivity + 1),
              "7 ActivityTaskFailed of 5 from 6 \"late\" Timeout\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, ATokenOfAnEarlierAttemptIsStale) {
    schedule();
    const ActivityToken first = start_activity("a").token;
    fail_activity(first, application_failure("boom"));
    EXPECT_EQ(try_complete(first), not_found(kGone)) << "while the retry waits";
    advance(seconds(1));
    EXPECT_EQ(try_complete(first), not_found(kGone)) << "while the retry is queued";
    const ActivityToken second = start_activity("a").token;
    EXPECT_EQ(try_complete(first), not_found(kGone)) << "while the retry runs";
    EXPECT_EQ(record_heartbeat(run(), first, {}, "", context()).status(), not_found(kGone));
    EXPECT_TRUE(try_complete(second).ok());
}

TEST_F(ActivityTest, AQueueRowOfAnEarlierAttemptIsStale) {
    schedule();
    StartActivityInput old{EventId(kFirstActivity), run().activities.find(kFirstActivity)->stamp(),
                           "poll", "worker"};
    fail_activity(start_activity("a").token, application_failure("boom"));
    EXPECT_EQ(history::start_activity(run(), old, context()).status().code(),
              absl::StatusCode::kNotFound);
    advance(seconds(1));
    EXPECT_EQ(history::start_activity(run(), old, context()).status().code(),
              absl::StatusCode::kNotFound);
}

TEST_F(ActivityTest, AWorkerNeedNotSayWhatWentWrong) {
    schedule(with_attempts(2));
    fail_activity(start_activity("a").token, {});
    EXPECT_FALSE(activity("a")->has_last_failure());
    advance(seconds(1));
    fail_activity(start_activity("a").token, {});
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskStarted of 5 attempt 2\n"
              "7 ActivityTaskFailed of 5 from 6 \"\" MaximumAttemptsReached\n"
              "8 WorkflowTaskScheduled\n");
    EXPECT_FALSE(history().events(6).activity_task_failed_event_attributes().has_failure());
}

TEST_F(ActivityTest, ALargeFailureIsKeptCutDown) {
    schedule();
    fail_activity(start_activity("a").token, application_failure(std::string(10'000, 'x')));
    const api::failure::v1::Failure& kept = activity("a")->last_failure();
    EXPECT_EQ(kept.message(), "Failure exceeds size limit.");
    EXPECT_LE(kept.cause().ByteSizeLong(), 4096U);
}

// ---- Timeouts ------------------------------------------------------------------------------

TEST_F(ActivityTest, AnAttemptThatRunsTooLongIsRetried) {
    schedule(with_attempts(2));
    start_activity("a");
    advance(seconds(10) - Duration(1));
    EXPECT_EQ(activity("a")->attempt(), 1);
    advance(Duration(1));
    EXPECT_EQ(activity("a")->attempt(), 2);
    advance(seconds(1));
    start_activity("a");
    advance(seconds(10));
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskStarted of 5 attempt 2 after \"activity StartToClose timeout\" "
              "StartToClose\n"
              "7 ActivityTaskTimedOut of 5 from 6 \"activity StartToClose timeout\" StartToClose "
              "cause=\"activity StartToClose timeout\" StartToClose MaximumAttemptsReached\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, WaitingTooLongInTheQueueIsNeverRetried) {
    Command command = schedule_activity("a");
    *attributes(command).mutable_schedule_to_start_timeout() = to_proto(seconds(2));
    schedule(std::move(command));
    advance(seconds(2));
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskTimedOut of 5 from 0 \"activity ScheduleToStart timeout\" "
              "ScheduleToStart Timeout\n"
              "7 WorkflowTaskScheduled\n");
    EXPECT_EQ(queued_activities(), 0U);
}

TEST_F(ActivityTest, TheQueueTimeoutOfARetryCountsFromItsOwnScheduling) {
    Command command = schedule_activity("a");
    *attributes(command).mutable_schedule_to_start_timeout() = to_proto(seconds(2));
    *attributes(command).mutable_retry_policy()->mutable_initial_interval() = to_proto(seconds(60));
    schedule(std::move(command));
    fail_activity(start_activity("a").token, application_failure("boom"));
    advance(seconds(61));
    EXPECT_TRUE(activity_is_queued("a"));
    advance(seconds(1));
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskTimedOut of 5 from 0 \"activity ScheduleToStart timeout\" "
              "ScheduleToStart cause=\"boom\" Timeout\n"
              "7 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, TimeThatRunsOutBetweenAttemptsNamesTheLastFailure) {
    Command command = schedule_activity("a");
    *attributes(command).mutable_schedule_to_close_timeout() = to_proto(seconds(3));
    schedule(std::move(command));
    fail_activity(start_activity("a").token, application_failure("first"));
    advance(seconds(1));
    start_activity("a");
    advance(seconds(2));
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskStarted of 5 attempt 2 after \"first\"\n"
              "7 ActivityTaskTimedOut of 5 from 6 \"Not enough time to schedule next retry before "
              "activity ScheduleToClose timeout, giving up retrying\" ScheduleToClose "
              "cause=\"first\" Timeout\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, ATimeoutWithoutTimeForARetryIsOneOfTheWholeActivity) {
    Command command = schedule_activity("a", seconds(4));
    *attributes(command).mutable_schedule_to_close_timeout() = to_proto(seconds(5));
    *attributes(command).mutable_retry_policy()->mutable_initial_interval() = to_proto(seconds(2));
    schedule(std::move(command));
    start_activity("a");
    advance(seconds(4));
    EXPECT_THAT(text_after(kFirstActivity + 1),
                ::testing::StartsWith("7 ActivityTaskTimedOut of 5 from 6 \"Not enough time"));
}

TEST_F(ActivityTest, AWorkerThatFallsSilentLosesTheAttempt) {
    Command command = with_attempts(2);
    *attributes(command).mutable_heartbeat_timeout() = to_proto(seconds(2));
    schedule(std::move(command));
    const ActivityToken first = start_activity("a").token;
    for (int beat = 0; beat < 3; ++beat) {
        advance(seconds(1));
        heartbeat(first, "beat " + std::to_string(beat));
    }
    advance(seconds(2) - Duration(1));
    EXPECT_EQ(activity("a")->attempt(), 1) << "each beat extends the time";
    advance(Duration(1));
    EXPECT_EQ(activity("a")->attempt(), 2);
    advance(seconds(1));
    const StartedActivity second = start_activity("a");
    EXPECT_EQ(second.row.last_heartbeat_details().payloads(0).data(), "beat 2");
    advance(seconds(2));
    EXPECT_EQ(text_after(kFirstActivity + 1),
              "7 ActivityTaskTimedOut of 5 from 6 \"activity Heartbeat timeout\" Heartbeat "
              "heartbeat=beat 2 cause=\"activity Heartbeat timeout\" Heartbeat "
              "MaximumAttemptsReached\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, AfterALongSleepOnlyTheEarliestTimeoutOfAnAttemptCounts) {
    Command command = schedule_activity("a");
    *attributes(command).mutable_heartbeat_timeout() = to_proto(seconds(2));
    schedule(std::move(command));
    start_activity("a");
    set_now(now() + seconds(60));
    apply(try_fire());
    EXPECT_EQ(activity("a")->attempt(), 2);
    EXPECT_EQ(activity("a")->last_failure().message(), "activity Heartbeat timeout");
    EXPECT_EQ(from_proto(activity("a")->next_attempt_time()), now() + seconds(1));
    EXPECT_TRUE(try_fire()->transition.empty);
}

TEST_F(ActivityTest, EvenTheShortestBackoffIsWaitedFor) {
    Command command = schedule_activity("a");
    *attributes(command).mutable_retry_policy()->mutable_initial_interval() = to_proto(Duration(1));
    schedule(std::move(command));
    start_activity("a");
    advance(seconds(10));
    EXPECT_FALSE(activity_is_queued("a"));
    advance(Duration(1));
    EXPECT_TRUE(activity_is_queued("a"));
}

TEST_F(ActivityTest, ManyTimeoutsInOneTransitionBringOneTask) {
    start();
    Command first = schedule_activity("a");
    Command second = schedule_activity("b");
    for (Command* command : {&first, &second}) {
        *attributes(*command).mutable_schedule_to_start_timeout() = to_proto(seconds(2));
    }
    run_task({first, second});
    advance(seconds(5));
    EXPECT_EQ(text_after(6),
              "7 ActivityTaskTimedOut of 5 from 0 \"activity ScheduleToStart timeout\" "
              "ScheduleToStart Timeout\n"
              "8 ActivityTaskTimedOut of 6 from 0 \"activity ScheduleToStart timeout\" "
              "ScheduleToStart Timeout\n"
              "9 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, OutcomesOfOneMomentFollowAllStarts) {
    start();
    Command first = with_attempts(1);
    Command second = with_attempts(1);
    attributes(second).set_activity_id("b");
    run_task({first, second});
    start_activity("a");
    start_activity("b");
    advance(seconds(10));
    EXPECT_EQ(text_after(6),
              "7 ActivityTaskStarted of 5 attempt 1\n"
              "8 ActivityTaskStarted of 6 attempt 1\n"
              "9 ActivityTaskTimedOut of 5 from 7 \"activity StartToClose timeout\" StartToClose "
              "MaximumAttemptsReached\n"
              "10 ActivityTaskTimedOut of 6 from 8 \"activity StartToClose timeout\" StartToClose "
              "MaximumAttemptsReached\n"
              "11 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, AfterACancellationATimeoutStaysWhatItIs) {
    Command command = schedule_activity("a");
    *attributes(command).mutable_schedule_to_close_timeout() = to_proto(seconds(1));
    schedule(std::move(command));
    start_activity("a");
    signal("go");
    run_task({testing::cancel_activity(kFirstActivity)});
    advance(seconds(1));
    EXPECT_EQ(text_after(10),
              "11 ActivityTaskStarted of 5 attempt 1\n"
              "12 ActivityTaskTimedOut of 5 from 11 \"activity ScheduleToClose timeout\" "
              "ScheduleToClose CancelRequested\n"
              "13 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, DetailsThatComeWithAFailureReachTheNextAttempt) {
    schedule();
    apply(history::fail_activity(run(), start_activity("a").token, application_failure("boom"),
                                 payloads("progress"), "worker", context()));
    advance(seconds(1));
    EXPECT_EQ(start_activity("a").row.last_heartbeat_details().payloads(0).data(), "progress");
}

// ---- Cancellation --------------------------------------------------------------------------

TEST_F(ActivityTest, AnUnstartedActivityIsCancelledAtOnce) {
    schedule();
    signal("go");
    run_task({testing::cancel_activity(kFirstActivity), start_timer("t", seconds(5))});
    EXPECT_EQ(text_after(9),
              "10 ActivityTaskCancelRequested of 5\n"
              "11 TimerStarted\n"
              "12 ActivityTaskCanceled of 5 from 0 asked by 10\n"
              "13 WorkflowTaskScheduled\n");
    const auto& canceled = history().events(11).activity_task_canceled_event_attributes();
    EXPECT_EQ(canceled.details().payloads(0).data(), "\"ACTIVITY_ID_NOT_STARTED\"");
    EXPECT_EQ(canceled.identity(), "worker");
    EXPECT_EQ(queued_activities(), 0U);
}

TEST_F(ActivityTest, ACancelledActivityThatWaitsForARetryHasNoStart) {
    schedule();
    fail_activity(start_activity("a").token, application_failure("boom"));
    signal("go");
    run_task({testing::cancel_activity(kFirstActivity)});
    EXPECT_EQ(text_after(10),
              "11 ActivityTaskCanceled of 5 from 0 asked by 10\n"
              "12 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, ARunningActivityLearnsOfItsCancellationByHeartbeat) {
    schedule();
    const ActivityToken token = start_activity("a").token;
    EXPECT_FALSE(heartbeat(token).cancel_requested);
    EXPECT_EQ(try_cancel(token),
              invalid_argument("unable to mark activity as canceled without activity being request "
                               "canceled first"));
    signal("go");
    run_task({testing::cancel_activity(kFirstActivity)});
    EXPECT_EQ(text_after(9), "10 ActivityTaskCancelRequested of 5\n");
    EXPECT_TRUE(heartbeat(token).cancel_requested);
    apply(history::cancel_activity(run(), token, payloads("bye"), "worker", context()));
    EXPECT_EQ(text_after(10),
              "11 ActivityTaskStarted of 5 attempt 1\n"
              "12 ActivityTaskCanceled of 5 from 11 asked by 10\n"
              "13 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, NothingIsRetriedAfterACancellation) {
    schedule();
    const ActivityToken token = start_activity("a").token;
    signal("go");
    run_task({testing::cancel_activity(kFirstActivity)});
    fail_activity(token, application_failure("boom"));
    EXPECT_EQ(text_after(11),
              "12 ActivityTaskFailed of 5 from 11 \"boom\" CancelRequested\n"
              "13 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, AnUnknownOrTwiceCancelledActivityFailsTheTask) {
    schedule();
    start_activity("a");
    signal("go");
    start_task();
    const CompletedWorkflowTask refused = complete_task(
        {testing::cancel_activity(kFirstActivity), testing::cancel_activity(kFirstActivity)});
    EXPECT_EQ(refused.refusal.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(message_of(refused.refusal),
                ::testing::HasSubstr("invalid history builder state for action: "
                                     "add-activitytask-cancel-requested-event, "
                                     "ScheduledEventID: 5"));
    EXPECT_THAT(text_after(7),
                ::testing::HasSubstr("WorkflowTaskFailed BadRequestCancelActivityAttributes"));
    EXPECT_FALSE(activity("a")->cancel_requested()) << "a refused command leaves no trace";
}

TEST_F(ActivityTest, AnUnstartedActivityMayBeCancelledTwiceInOneTask) {
    schedule();
    signal("go");
    run_task({testing::cancel_activity(kFirstActivity), testing::cancel_activity(kFirstActivity)});
    EXPECT_EQ(text_after(9),
              "10 ActivityTaskCancelRequested of 5\n"
              "11 ActivityTaskCancelRequested of 5\n"
              "12 ActivityTaskCanceled of 5 from 0 asked by 10\n"
              "13 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, ARunThatClosesDropsTheOutcomeOfACancellation) {
    schedule();
    signal("go");
    run_task({testing::cancel_activity(kFirstActivity), complete_workflow()});
    EXPECT_EQ(text_after(9),
              "10 ActivityTaskCancelRequested of 5\n"
              "11 WorkflowExecutionCompleted\n");
}

TEST_F(ActivityTest, CancellingWhatHasJustEndedIsAccepted) {
    schedule();
    const ActivityToken token = start_activity("a").token;
    signal("go");
    start_task();
    complete_activity(token);
    EXPECT_EQ(last_event(), 8) << "the outcome waits behind the task";
    complete_task({testing::cancel_activity(kFirstActivity)});
    EXPECT_EQ(text_after(8),
              "9 WorkflowTaskCompleted\n"
              "10 ActivityTaskCancelRequested of 5\n"
              "11 ActivityTaskStarted of 5 attempt 1\n"
              "12 ActivityTaskCompleted of 5 from 11\n"
              "13 WorkflowTaskScheduled\n");
}

// ---- Behind a running workflow task --------------------------------------------------------

TEST_F(ActivityTest, OutcomesWaitBehindARunningTaskAndFollowAllStarts) {
    start();
    run_task({schedule_activity("a"), schedule_activity("b")});
    const ActivityToken a = start_activity("a").token;
    const ActivityToken b = start_activity("b").token;
    signal("go");
    start_task();
    complete_activity(b);
    fail_activity(a, application_failure("fatal", true));
    signal("late");
    EXPECT_EQ(last_event(), 9);
    complete_task({});
    EXPECT_EQ(text_after(9),
              "10 WorkflowTaskCompleted\n"
              "11 ActivityTaskStarted of 6 attempt 1\n"
              "12 ActivityTaskStarted of 5 attempt 1\n"
              "13 WorkflowExecutionSignaled late\n"
              "14 ActivityTaskCompleted of 6 from 11\n"
              "15 ActivityTaskFailed of 5 from 12 \"fatal\" NonRetryableFailure\n"
              "16 WorkflowTaskScheduled\n");
}

// ---- Eager execution -----------------------------------------------------------------------

TEST_F(ActivityTest, AnAttemptThatBeginsAtOnceEndsWithTheActivity) {
    Command command = schedule_activity("a", seconds(2));
    *attributes(command).mutable_schedule_to_close_timeout() = to_proto(seconds(2));
    attributes(command).mutable_retry_policy()->set_maximum_attempts(1);
    schedule(command);
    start_activity("a");  // at the moment of its scheduling
    advance(seconds(2));
    const auto& timed_out = history().events(history().events_size() - 2);
    EXPECT_EQ(timed_out.activity_task_timed_out_event_attributes()
                  .failure()
                  .timeout_failure_info()
                  .timeout_type(),
              enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
}

TEST_F(ActivityTest, AnEagerActivityIsStartedInPlace) {
    start();
    Command command = schedule_activity("a");
    attributes(command).set_request_eager_execution(true);
    const CompletedWorkflowTask completed = run_task({command, schedule_activity("b")});
    EXPECT_THAT(completed.eager_activities, ::testing::ElementsAre(EventId(kFirstActivity)));
    EXPECT_TRUE(activity("a")->has_started_time());
    EXPECT_FALSE(activity_is_queued("a"));
    EXPECT_TRUE(activity_is_queued("b"));
    const storage::ActivityRow& row = *activity("a");
    complete_activity({EventId(kFirstActivity), row.attempt(), row.stamp(), "a"});
    EXPECT_EQ(text_after(6),
              "7 ActivityTaskStarted of 5 attempt 1\n"
              "8 ActivityTaskCompleted of 5 from 7\n"
              "9 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, AnEagerActivityThatIsCancelledInTheSameTaskNeverStarts) {
    start();
    Command command = schedule_activity("a");
    attributes(command).set_request_eager_execution(true);
    const CompletedWorkflowTask completed =
        run_task({command, testing::cancel_activity(kFirstActivity)});
    EXPECT_TRUE(completed.eager_activities.empty());
    EXPECT_EQ(text_after(kFirstActivity),
              "6 ActivityTaskCancelRequested of 5\n"
              "7 ActivityTaskCanceled of 5 from 0 asked by 6\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(ActivityTest, AnEagerActivityOfARunThatClosesNeverStarts) {
    start();
    Command command = schedule_activity("a");
    attributes(command).set_request_eager_execution(true);
    const CompletedWorkflowTask completed = run_task({command, complete_workflow()});
    EXPECT_TRUE(completed.eager_activities.empty());
    EXPECT_FALSE(run().is_open());
}

// ---- Closing and reading -------------------------------------------------------------------

TEST_F(ActivityTest, AClosingRunLeavesNothingInTheQueues) {
    start();
    std::vector<Command> commands;
    for (int i = 0; i < 20; ++i) commands.push_back(schedule_activity("a" + std::to_string(i)));
    run_task(std::move(commands));
    start_activity("a3");
    fail_activity(start_activity("a4").token, application_failure("boom"));
    EXPECT_EQ(queued_activities(), 18U);
    terminate();
    EXPECT_EQ(queued_activities(), 0U);
}

TEST_F(ActivityTest, DescribeShowsTheAttempts) {
    Command command = with_attempts(5);
    *attributes(command).mutable_schedule_to_close_timeout() = to_proto(seconds(100));
    schedule(std::move(command));
    const auto pending = [&] { return describe(run()).pending_activities(0); };
    EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_SCHEDULED);
    EXPECT_EQ(pending().attempt(), 1);
    EXPECT_FALSE(pending().has_last_started_time());

    const ActivityToken token = start_activity("a").token;
    EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_STARTED);
    EXPECT_EQ(pending().last_worker_identity(), "activity worker");
    EXPECT_EQ(from_proto(pending().last_started_time()), now());
    advance(seconds(2));
    heartbeat(token, "half");
    EXPECT_EQ(pending().heartbeat_details().payloads(0).data(), "half");
    EXPECT_EQ(from_proto(pending().last_heartbeat_time()), now());

    fail_activity(token, application_failure("boom"));
    EXPECT_EQ(pending().state(), enums::PENDING_ACTIVITY_STATE_SCHEDULED);
    EXPECT_EQ(pending().attempt(), 2);
    EXPECT_EQ(pending().maximum_attempts(), 5);
    EXPECT_EQ(pending().last_failure().message(), "boom");
    EXPECT_EQ(from_proto(pending().last_attempt_complete_time()), now());
    EXPECT_EQ(from_proto(pending().next_attempt_schedule_time()), now() + seconds(1));
    EXPECT_EQ(from_proto(pending().current_retry_interval()), seconds(1));
    EXPECT_EQ(from_proto(pending().expiration_time()), now() + seconds(98));
    advance(seconds(1));
    EXPECT_FALSE(pending().has_next_attempt_schedule_time());
}

TEST_F(ActivityTest, TwoThousandPendingActivitiesKeepTheirDeadlinesInOrder) {
    start();
    std::vector<Command> commands;
    for (int i = 0; i < 2000; ++i) {
        commands.push_back(schedule_activity("a" + std::to_string(i), seconds(2000 - i)));
    }
    run_task(std::move(commands));
    EXPECT_EQ(run().activities.deadlines().size(), 0U) << "nothing limits their wait";
    for (int i = 0; i < 2000; i += 100) start_activity("a" + std::to_string(i));
    ASSERT_EQ(run().activities.deadlines().size(), 20U);
    EXPECT_EQ(run().activities.deadlines().begin()->deadline, now() + seconds(100));
    complete_activity(by_id("a1900"));
    EXPECT_EQ(run().activities.deadlines().begin()->deadline, now() + seconds(200));
}

}  // namespace
}  // namespace stele::history
