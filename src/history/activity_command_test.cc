#include "history/scenario_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using namespace testing;
using api::command::v1::ScheduleActivityTaskCommandAttributes;
using std::chrono::seconds;

constexpr std::int64_t kFirstActivity = 5;

class ScheduleActivityTest : public ::testing::Test, protected Scenario {
protected:
    using Change = std::function<void(ScheduleActivityTaskCommandAttributes&)>;

    static Command changed(const Change& change) {
        Command command = schedule_activity("a");
        change(*command.mutable_schedule_activity_task_command_attributes());
        return command;
    }

    /// Refuses the command in the first workflow task of a fresh run; says cause and message.
    static void expect_refused(const Command& command, const std::string& cause,
                               const std::string& message) {
        Scenario scenario;
        scenario.start();
        const CompletedWorkflowTask completed = scenario.run_task({command});
        EXPECT_EQ(completed.refusal.code(), absl::StatusCode::kInvalidArgument);
        EXPECT_EQ(message_of(completed.refusal), cause + ": " + message);
        EXPECT_THAT(scenario.text(), ::testing::HasSubstr("4 WorkflowTaskFailed " + cause + "\n"));
        EXPECT_TRUE(scenario.run().activities.empty());
        EXPECT_EQ(scenario.queued_activities(), 0U);
    }
};

struct Bad {
    std::string what;
    std::function<void(ScheduleActivityTaskCommandAttributes&)> change;
    std::string message;
};

const Bad kBadCommands[] = {
    {"NoTaskQueue", [](auto& a) { a.clear_task_queue(); }, "taskQueue is not set"},
    {"EmptyTaskQueue", [](auto& a) { a.mutable_task_queue()->clear_name(); },
     "missing task queue name"},
    {"LongTaskQueue", [](auto& a) { a.mutable_task_queue()->set_name(std::string(1001, 'q')); },
     "taskQueue length exceeds limit"},
    {"ReservedTaskQueue", [](auto& a) { a.mutable_task_queue()->set_name("/_sys/q"); },
     "task queue name cannot start with reserved prefix /_sys/"},
    {"NoId", [](auto& a) { a.clear_activity_id(); }, "activityId is not set"},
    {"LongId", [](auto& a) { a.set_activity_id(std::string(1001, 'i')); },
     "activityId exceeds length limit. Length=1001 Limit=1000"},
    {"NoType", [](auto& a) { a.clear_activity_type(); }, "activityType is not set"},
    {"LongType", [](auto& a) { a.mutable_activity_type()->set_name(std::string(1001, 't')); },
     "activityType exceeds length limit. Length=1001 Limit=1000"},
    {"NoTimeout", [](auto& a) { a.clear_start_to_close_timeout(); },
     "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. "
     "ActivityId=a ActivityType=work"},
    {"NegativeTimeout", [](auto& a) { a.mutable_heartbeat_timeout()->set_seconds(-1); },
     "invalid HeartbeatTimeout: negative duration"},
    {"BadBackoff", [](auto& a) { a.mutable_retry_policy()->set_backoff_coefficient(0.1); },
     "BackoffCoefficient cannot be less than 1 on retry policy."},
    {"NegativePriority", [](auto& a) { a.mutable_priority()->set_priority_key(-1); },
     "invalid priorities: priority key can't be negative"},
    {"OtherQueueForBuildId",
     [](auto& a) {
         a.set_use_workflow_build_id(true);
         a.mutable_task_queue()->set_name("other");
     },
     "Activity with UseCompatibleVersion cannot run on different task queue."},
};

TEST_F(ScheduleActivityTest, BadAttributesFailTheTaskAndNameWhatIsWrong) {
    for (const Bad& bad : kBadCommands) {
        SCOPED_TRACE(bad.what);
        expect_refused(changed(bad.change), "BadScheduleActivityAttributes", bad.message);
    }
}

TEST_F(ScheduleActivityTest, MissingAttributesFailTheTask) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    expect_refused(command, "BadScheduleActivityAttributes",
                   "ScheduleActivityTaskCommandAttributes is not set on "
                   "ScheduleActivityTaskCommand.");
}

TEST_F(ScheduleActivityTest, TwoPendingActivitiesCanNotShareAnId) {
    start();
    const CompletedWorkflowTask completed =
        run_task({schedule_activity("a"), schedule_activity("a")});
    EXPECT_EQ(message_of(completed.refusal),
              "ScheduleActivityDuplicateId: invalid history builder state for action: "
              "add-activitytask-scheduled-event, ActivityID: a");
    EXPECT_TRUE(run().activities.empty()) << "the first command leaves no trace either";
    EXPECT_EQ(queued_activities(), 0U);
}

TEST_F(ScheduleActivityTest, AnIdIsFreeAgainAfterTheOutcome) {
    start();
    run_task({schedule_activity("a")});
    complete_activity(start_activity("a").token);
    EXPECT_TRUE(run_task({schedule_activity("a")}).refusal.ok());
    EXPECT_TRUE(activity_is_queued("a"));
}

TEST_F(ScheduleActivityTest, TooManyPendingActivitiesFailTheTask) {
    limits().pending_activities = 2;
    start();
    const CompletedWorkflowTask completed =
        run_task({schedule_activity("a"), schedule_activity("b"), schedule_activity("c")});
    EXPECT_EQ(
        message_of(completed.refusal),
        "PendingActivitiesLimitExceeded: the number of pending activities, 2, has reached the "
        "per-workflow limit of 2");
    EXPECT_TRUE(run().is_open());
}

TEST_F(ScheduleActivityTest, AnOversizedInputTerminatesTheRun) {
    start();
    const Command command = changed(
        [](auto& a) { *a.mutable_input() = payloads(std::string(2 * 1024 * 1024 + 1, 'x')); });
    const CompletedWorkflowTask completed = run_task({command});
    EXPECT_FALSE(completed.refusal.ok());
    EXPECT_FALSE(run().is_open());
    EXPECT_THAT(text_after(3),
                ::testing::HasSubstr("ScheduleActivityTaskCommandAttributes.Input exceeds size "
                                     "limit."));
}

struct Timeouts {
    std::int64_t whole;  // schedule-to-close, in seconds; 0: not set
    std::int64_t queued;
    std::int64_t attempt;
    std::int64_t heartbeat;
    bool operator==(const Timeouts&) const = default;
};

struct TimeoutCase {
    std::int64_t run_timeout;
    Timeouts given;
    Timeouts completed;
};

Timeouts timeouts_of(const api::history::v1::ActivityTaskScheduledEventAttributes& attributes) {
    return {attributes.schedule_to_close_timeout().seconds(),
            attributes.schedule_to_start_timeout().seconds(),
            attributes.start_to_close_timeout().seconds(),
            attributes.heartbeat_timeout().seconds()};
}

TEST_F(ScheduleActivityTest, TimeoutsThatAreNotGivenFollowFromTheOthers) {
    const TimeoutCase cases[] = {
        // run    whole queued attempt heartbeat
        {0, {0, 0, 10, 0}, {0, 0, 10, 0}},
        {0, {0, 7, 10, 3}, {0, 7, 10, 3}},
        {0, {30, 0, 0, 0}, {30, 30, 30, 0}},
        {0, {30, 60, 60, 60}, {30, 30, 30, 30}},
        {0, {30, 5, 10, 20}, {30, 5, 10, 10}},
        {100, {0, 0, 10, 0}, {100, 100, 10, 0}},
        {100, {0, 0, 500, 500}, {100, 100, 100, 100}},
        {100, {500, 0, 10, 0}, {100, 100, 10, 0}},
        {100, {500, 300, 10, 0}, {100, 100, 10, 0}},
    };
    for (const TimeoutCase& wanted : cases) {
        Scenario scenario;
        scenario.start([&](StartInput& input) {
            input.request.mutable_workflow_run_timeout()->set_seconds(wanted.run_timeout);
        });
        scenario.run_task({changed([&](auto& a) {
            a.mutable_schedule_to_close_timeout()->set_seconds(wanted.given.whole);
            a.mutable_schedule_to_start_timeout()->set_seconds(wanted.given.queued);
            a.mutable_start_to_close_timeout()->set_seconds(wanted.given.attempt);
            a.mutable_heartbeat_timeout()->set_seconds(wanted.given.heartbeat);
        })});
        ASSERT_EQ(scenario.last_event(), kFirstActivity);
        const HistoryEvent& event = scenario.history().events(kFirstActivity - 1);
        EXPECT_EQ(timeouts_of(event.activity_task_scheduled_event_attributes()), wanted.completed)
            << event.DebugString();
    }
}

TEST_F(ScheduleActivityTest, TheEventSaysAllThatTheCommandSaid) {
    start();
    Command command = changed([](auto& a) {
        (*a.mutable_header()->mutable_fields())["trace"].set_data("42");
        a.mutable_priority()->set_priority_key(2);
        a.mutable_retry_policy()->add_non_retryable_error_types("Fatal");
    });
    command.mutable_user_metadata()->mutable_summary()->set_data("why");
    run_task({command});
    const HistoryEvent& event = history().events(kFirstActivity - 1);
    EXPECT_EQ(event.user_metadata().summary().data(), "why");
    const auto& attributes = event.activity_task_scheduled_event_attributes();
    EXPECT_EQ(attributes.workflow_task_completed_event_id(), 4);
    EXPECT_EQ(attributes.task_queue().kind(), enums::TASK_QUEUE_KIND_NORMAL);
    EXPECT_EQ(attributes.header().fields().at("trace").data(), "42");
    EXPECT_EQ(attributes.priority().priority_key(), 2);
    EXPECT_EQ(attributes.input().payloads(0).data(), "input of a");
    EXPECT_EQ(attributes.retry_policy().maximum_interval().seconds(), 100);
    EXPECT_EQ(attributes.retry_policy().non_retryable_error_types(0), "Fatal");
    EXPECT_TRUE(attributes.has_heartbeat_timeout()) << "zero, but given";
}

TEST_F(ScheduleActivityTest, AnActivityInheritsThePriorityOfItsRun) {
    start([](StartInput& input) {
        input.request.mutable_priority()->set_priority_key(4);
        input.request.mutable_priority()->set_fairness_key("tenant");
    });
    run_task({changed([](auto& a) { a.mutable_priority()->set_priority_key(1); })});
    const StartedActivity started = start_activity("a");
    EXPECT_EQ(started.row.priority().priority_key(), 1);
    EXPECT_EQ(started.row.priority().fairness_key(), "tenant");
}

}  // namespace
}  // namespace stele::history
