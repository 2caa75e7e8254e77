#include "history/activity_control.h"

#include "history/retry_policy.h"
#include "history/scenario_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using namespace testing;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using By = ActivitySelector::By;

constexpr char kNoSuchActivity[] =
    "Can't find pending activity with such ID. Invalid activityID or activity already completed";

class ActivityControlTest : public ::testing::Test, protected Scenario {
protected:
    void schedule(std::vector<Command> commands) {
        start();
        run_task(std::move(commands));
    }
    void schedule(Command command = schedule_activity("a")) {
        schedule(std::vector<Command>{std::move(command)});
    }
    static auto& attributes(Command& command) {
        return *command.mutable_schedule_activity_task_command_attributes();
    }
    /// An activity that waits ten minutes between attempts.
    static Command patient() {
        Command command = schedule_activity("a", minutes(5));
        RetryPolicy& policy = *attributes(command).mutable_retry_policy();
        *policy.mutable_initial_interval() = to_proto(minutes(10));
        policy.set_backoff_coefficient(1);
        return command;
    }

    static ActivitySelector one(const std::string& id) { return {By::kId, id}; }
    void pause(const std::string& id, const std::string& request_id = "r") {
        apply(pause_activities(run(), {one(id), "operator", "why", request_id}, context()));
    }
    void unpause(UnpauseActivityInput input) {
        apply(unpause_activities(run(), input, context()));
    }
    void reset(ResetActivityInput input) { apply(reset_activities(run(), input, context())); }

    ActivityOptions update(const ActivityOptions& options, std::initializer_list<const char*> mask) {
        return apply(update_activity_options(run(), change(options, mask), context()));
    }
    static UpdateActivityOptionsInput change(const ActivityOptions& options,
                                             std::initializer_list<const char*> mask) {
        UpdateActivityOptionsInput input;
        input.activities = one("a");
        input.options = options;
        input.mask.emplace();
        for (const char* path : mask) input.mask->add_paths(path);
        return input;
    }

    HeartbeatReply heartbeat(const ActivityToken& token, const std::string& details = "beat") {
        return apply(record_heartbeat(run(), token, payloads(details), "worker", context()));
    }
    api::workflow::v1::PendingActivityInfo described() const {
        return describe(run()).pending_activities(0);
    }
    std::string pause_info() const {
        const auto& fields = run().attributes.search_attributes().indexed_fields();
        const auto found = fields.find("TemporalPauseInfo");
        return found == fields.end() ? "" : found->second.data();
    }
};

// ---- Pause ---------------------------------------------------------------------------------

TEST_F(ActivityControlTest, APausedActivityIsTakenOutOfItsQueue) {
    schedule();
    const std::int64_t stamp = activity("a")->stamp();
    pause("a");
    EXPECT_EQ(queued_activities(), 0U);
    EXPECT_EQ(described().state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
    EXPECT_TRUE(described().paused());
    EXPECT_EQ(described().pause_info().manual().identity(), "operator");
    EXPECT_EQ(described().pause_info().manual().reason(), "why");
    EXPECT_EQ(pause_info(), R"(["property:activityType=work"])");

    // An offer that matching still holds is of no use any more.
    const StartActivityInput late{EventId(activity("a")->scheduled_event_id()), stamp, "poll", ""};
    EXPECT_EQ(history::start_activity(run(), late, context()).status().code(),
              absl::StatusCode::kNotFound);
}

TEST_F(ActivityControlTest, PausingLeavesNoEvent) {
    schedule();
    const std::int64_t events = last_event();
    pause("a");
    unpause({one("a")});
    EXPECT_EQ(last_event(), events);
}

TEST_F(ActivityControlTest, ThePauseRequestThatIsRepeatedChangesNothing) {
    schedule();
    pause("a", "first");
    const auto again =
        pause_activities(run(), {one("a"), "operator", "why", "first"}, context());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->transition.empty);
    EXPECT_EQ(pause_activities(run(), {one("a"), "", "", "second"}, context()).status(),
              failed_precondition("activity is already paused"));
}

TEST_F(ActivityControlTest, ARunningAttemptMayFinishWhileItsPauseIsRequested) {
    schedule();
    const StartedActivity started = start_activity("a");
    pause("a");
    EXPECT_EQ(described().state(), enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED);
    EXPECT_TRUE(heartbeat(started.token).paused);
    complete_activity(started.token);
    EXPECT_TRUE(run().activities.empty());
    EXPECT_EQ(pause_info(), "");
}

TEST_F(ActivityControlTest, ARunningAttemptThatFailsHoldsTheNextOne) {
    schedule();
    const StartedActivity started = start_activity("a");
    pause("a");
    fail_activity(started.token, application_failure("boom"));
    EXPECT_EQ(described().state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
    EXPECT_EQ(described().attempt(), 2);
    EXPECT_EQ(described().last_failure().message(), "boom");
    EXPECT_FALSE(described().has_next_attempt_schedule_time());
    advance(minutes(60));
    EXPECT_FALSE(activity_is_queued("a"));
    unpause({one("a")});
    EXPECT_EQ(start_activity("a").token.attempt, 2);
}

TEST_F(ActivityControlTest, AFailureThatMayNotBeRetriedEndsAPausedActivity) {
    schedule();
    const StartedActivity started = start_activity("a");
    pause("a");
    fail_activity(started.token, application_failure("boom", true));
    EXPECT_TRUE(run().activities.empty());
}

TEST_F(ActivityControlTest, NoTimeoutFiresWhileAnActivityIsPausedAndAllAreMadeUpAfterwards) {
    Command command = schedule_activity("a", seconds(10));
    attributes(command).mutable_retry_policy()->set_maximum_attempts(1);
    schedule(std::move(command));
    start_activity("a");
    pause("a");
    advance(minutes(1));
    EXPECT_EQ(described().state(), enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED);
    unpause({one("a")});
    advance(Duration::zero());
    EXPECT_TRUE(run().activities.empty());
    const auto& timed_out = history().events(static_cast<int>(last_event()) - 2);
    EXPECT_EQ(timed_out.activity_task_timed_out_event_attributes()
                  .failure()
                  .timeout_failure_info()
                  .timeout_type(),
              enums::TIMEOUT_TYPE_START_TO_CLOSE);
}

TEST_F(ActivityControlTest, ActivitiesArePausedByTypeAllOrNone) {
    Command other = schedule_activity("other");
    attributes(other).mutable_activity_type()->set_name("rest");
    schedule({schedule_activity("a"), schedule_activity("b"), std::move(other)});
    pause("b", "before");
    EXPECT_EQ(pause_activities(run(), {{By::kType, "work"}, "", "", "r"}, context()).status().code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_FALSE(activity("a")->has_pause());
    unpause({one("b")});
    apply(pause_activities(run(), {{By::kType, "work"}, "", "", "r"}, context()));
    EXPECT_TRUE(activity("a")->has_pause());
    EXPECT_TRUE(activity("b")->has_pause());
    EXPECT_FALSE(activity("other")->has_pause());
}

TEST_F(ActivityControlTest, WhatIsNotThereIsNotFound) {
    schedule();
    EXPECT_EQ(pause_activities(run(), {one("nothing"), "", "", ""}, context()).status(),
              not_found(kNoSuchActivity));
    EXPECT_EQ(unpause_activities(run(), {{By::kType, "nothing"}}, context()).status(),
              not_found(kNoSuchActivity));
    terminate();
    EXPECT_EQ(reset_activities(run(), {one("a")}, context()).status(),
              not_found("workflow execution already completed"));
    EXPECT_EQ(update_activity_options(run(), change({}, {}), context()).status(),
              not_found("workflow execution already completed"));
}

// ---- Unpause -------------------------------------------------------------------------------

TEST_F(ActivityControlTest, UnpausingBeginsTheNextAttemptAtOnceWhateverTheBackoff) {
    schedule(patient());
    fail_activity(start_activity("a").token, application_failure("boom"));
    EXPECT_FALSE(activity_is_queued("a"));
    pause("a");
    unpause({one("a")});
    EXPECT_EQ(start_activity("a").token.attempt, 2);
}

TEST_F(ActivityControlTest, UnpausingMayResetAttemptsAndHeartbeats) {
    schedule(patient());
    const StartedActivity first = start_activity("a");
    heartbeat(first.token);
    fail_activity(first.token, application_failure("boom"));
    pause("a");
    unpause({one("a"), true, true});
    const StartedActivity next = start_activity("a");
    EXPECT_EQ(next.token.attempt, 1);
    EXPECT_FALSE(next.row.has_last_heartbeat_details());
}

TEST_F(ActivityControlTest, UnpausingWithJitterBeginsWithinIt) {
    schedule();
    pause("a");
    unpause({one("a"), false, false, seconds(10)});
    advance(seconds(10));
    EXPECT_TRUE(activity_is_queued("a"));
}

TEST_F(ActivityControlTest, UnpausingWhatIsNotPausedChangesNothing) {
    schedule();
    const auto unpaused = unpause_activities(run(), {one("a")}, context());
    ASSERT_TRUE(unpaused.ok());
    EXPECT_TRUE(unpaused->transition.empty);
}

// ---- Reset ---------------------------------------------------------------------------------

TEST_F(ActivityControlTest, AResetCountsAttemptsFromOneAndBeginsAtOnce) {
    schedule(patient());
    fail_activity(start_activity("a").token, application_failure("boom"));
    reset({one("a")});
    const StartedActivity next = start_activity("a");
    EXPECT_EQ(next.token.attempt, 1);
    EXPECT_FALSE(next.row.has_last_failure());
}

TEST_F(ActivityControlTest, ARunningFirstAttemptGoesOnAfterAResetAndLearnsOfIt) {
    schedule();
    const StartedActivity started = start_activity("a");
    reset({one("a")});
    EXPECT_TRUE(heartbeat(started.token).reset);
    complete_activity(started.token);
    EXPECT_TRUE(run().activities.empty());
}

TEST_F(ActivityControlTest, ALaterAttemptThatRunsDuringAResetIsStale) {
    schedule();
    fail_activity(start_activity("a").token, application_failure("boom"));
    advance(seconds(1));
    const StartedActivity second = start_activity("a");
    reset({one("a")});
    EXPECT_EQ(history::complete_activity(run(), second.token, {}, "", context()).status().code(),
              absl::StatusCode::kNotFound);
    // Its timeout brings the next one.
    advance(seconds(11));
    EXPECT_EQ(start_activity("a").token.attempt, 2);
}

TEST_F(ActivityControlTest, AResetMayKeepThePause) {
    schedule();
    pause("a");
    reset({one("a"), false, true});
    EXPECT_EQ(described().state(), enums::PENDING_ACTIVITY_STATE_PAUSED);
    reset({one("a")});
    EXPECT_TRUE(activity_is_queued("a"));
    EXPECT_EQ(pause_info(), "");
}

TEST_F(ActivityControlTest, HeartbeatsOfTheRunningAttemptAreForgottenByTheNextOne) {
    schedule();
    const StartedActivity started = start_activity("a");
    heartbeat(started.token);
    reset({one("a"), true});
    heartbeat(started.token, "after the reset");
    fail_activity(started.token, application_failure("boom"));
    advance(seconds(2));
    EXPECT_FALSE(start_activity("a").row.has_last_heartbeat_details());
}

TEST_F(ActivityControlTest, AResetMayRestoreTheOptions) {
    schedule();
    ActivityOptions options;
    options.mutable_task_queue()->set_name("elsewhere");
    options.mutable_priority()->set_priority_key(5);
    update(options, {"task_queue.name", "priority"});
    EXPECT_EQ(activity("a")->task_queue(), "elsewhere");
    ResetActivityInput input{one("a")};
    input.restore_original_options = true;
    reset(input);
    EXPECT_NE(activity("a")->task_queue(), "elsewhere");
    EXPECT_EQ(activity("a")->priority().priority_key(), 5) << "as with Temporal";
    EXPECT_EQ(queued_activities(), 1U);
}

// ---- Options -------------------------------------------------------------------------------

TEST_F(ActivityControlTest, OnlyTheOptionsThatTheMaskNamesChange) {
    schedule();
    ActivityOptions options;
    *options.mutable_heartbeat_timeout() = to_proto(seconds(2));
    *options.mutable_start_to_close_timeout() = to_proto(seconds(99));
    const ActivityOptions changed = update(options, {"heartbeat_timeout"});
    EXPECT_EQ(from_proto(changed.heartbeat_timeout()), seconds(2));
    EXPECT_EQ(from_proto(changed.start_to_close_timeout()), seconds(10));
    EXPECT_EQ(from_proto(activity("a")->heartbeat()), seconds(2));
}

TEST_F(ActivityControlTest, MaskPathsMayBeSpeltEitherWay) {
    google::protobuf::FieldMask mask;
    for (const char* path : {"retry_policy.maximum_attempts", "RetryPolicy.InitialInterval",
                             "taskQueue.name", "heartbeat_timeout"}) {
        mask.add_paths(path);
    }
    EXPECT_THAT(mask_paths(mask),
                ::testing::ElementsAre("heartbeatTimeout", "retryPolicy.initialInterval",
                                       "retryPolicy.maximumAttempts", "taskQueue.name"));
}

TEST_F(ActivityControlTest, AWaitingRetryFollowsItsNewPolicy) {
    schedule(patient());
    fail_activity(start_activity("a").token, application_failure("boom"));
    ActivityOptions options;
    *options.mutable_retry_policy()->mutable_initial_interval() = to_proto(seconds(3));
    update(options, {"retry_policy.initial_interval"});
    advance(seconds(2));
    EXPECT_FALSE(activity_is_queued("a"));
    advance(seconds(1));
    EXPECT_TRUE(activity_is_queued("a"));
}

TEST_F(ActivityControlTest, AQueuedActivityMovesToItsNewQueue) {
    schedule();
    ActivityOptions options;
    options.mutable_task_queue()->set_name("elsewhere");
    update(options, {"task_queue.name"});
    EXPECT_EQ(queued_activities(), 1U);
    EXPECT_EQ(start_activity("a").row.task_queue(), "elsewhere");
}

TEST_F(ActivityControlTest, ARunningAttemptStaysValidUnderItsNewOptions) {
    schedule();
    const StartedActivity started = start_activity("a");
    ActivityOptions options;
    *options.mutable_start_to_close_timeout() = to_proto(minutes(5));
    update(options, {"start_to_close_timeout"});
    advance(minutes(4));
    complete_activity(started.token);
    EXPECT_TRUE(run().activities.empty());
}

TEST_F(ActivityControlTest, AShorterScheduleToCloseMayEndTheActivityAtOnce) {
    Command command = patient();
    *attributes(command).mutable_schedule_to_close_timeout() = to_proto(minutes(30));
    schedule(std::move(command));
    fail_activity(start_activity("a").token, application_failure("boom"));
    advance(seconds(2));
    ActivityOptions options;
    *options.mutable_schedule_to_close_timeout() = to_proto(seconds(1));
    update(options, {"schedule_to_close_timeout"});
    advance(Duration::zero());
    EXPECT_TRUE(run().activities.empty());
}

TEST_F(ActivityControlTest, TheOriginalOptionsCanBeRestored) {
    schedule();
    ActivityOptions options;
    options.mutable_retry_policy()->set_maximum_attempts(1000);
    update(options, {"retry_policy.maximum_attempts"});
    update(options, {"retry_policy.maximum_attempts"});
    UpdateActivityOptionsInput restore;
    restore.activities = one("a");
    restore.restore_original = true;
    const ActivityOptions restored = apply(update_activity_options(run(), restore, context()));
    EXPECT_EQ(restored.retry_policy().maximum_attempts(), 0);
    EXPECT_EQ(activity("a")->retry_policy().maximum_attempts(), 0);
}

TEST_F(ActivityControlTest, OptionsThatDoNotFitAreRefusedAndChangeNothing) {
    schedule();
    ActivityOptions options;
    options.mutable_retry_policy()->set_backoff_coefficient(0.5);
    EXPECT_EQ(update_activity_options(run(),
                                      change(options, {"retry_policy.backoff_coefficient"}),
                                      context())
                  .status(),
              invalid_argument("BackoffCoefficient cannot be less than 1 on retry policy."));
    EXPECT_EQ(update_activity_options(run(), change({}, {"task_queue.name"}), context()).status(),
              invalid_argument("TaskQueue is not provided"));
    EXPECT_EQ(update_activity_options(run(), change({}, {"priority.priority_key"}), context())
                  .status(),
              invalid_argument("Priority is not provided"));
    UpdateActivityOptionsInput both = change({}, {"priority"});
    both.restore_original = true;
    EXPECT_EQ(update_activity_options(run(), both, context()).status(),
              invalid_argument("Both UpdateMask and RestoreOriginal are provided"));
    UpdateActivityOptionsInput no_mask = change({}, {});
    no_mask.mask.reset();
    EXPECT_EQ(update_activity_options(run(), no_mask, context()).status(),
              invalid_argument("UpdateMask is not provided"));
    EXPECT_FALSE(activity("a")->has_original_options());
}

TEST_F(ActivityControlTest, OptionsOfAPausedActivityWaitForItsEnd) {
    schedule(patient());
    fail_activity(start_activity("a").token, application_failure("boom"));
    pause("a");
    ActivityOptions options;
    *options.mutable_retry_policy()->mutable_initial_interval() = to_proto(milliseconds(1));
    update(options, {"retry_policy.initial_interval"});
    advance(minutes(1));
    EXPECT_FALSE(activity_is_queued("a"));
    unpause({one("a")});
    EXPECT_TRUE(activity_is_queued("a"));
}

}  // namespace
}  // namespace stele::history
