#include "history/invariants_testing.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;
using Request = service::RespondWorkflowTaskCompletedRequest;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kSticky[] = "sticky";

Request request_with(std::vector<Command> commands = {}) {
    Request request;
    request.set_identity("worker");
    for (Command& command : commands) *request.add_commands() = std::move(command);
    return request;
}

Request sticky_request(std::vector<Command> commands = {}) {
    Request request = request_with(std::move(commands));
    auto& sticky = *request.mutable_sticky_attributes();
    sticky.mutable_worker_task_queue()->set_name(kSticky);
    *sticky.mutable_schedule_to_start_timeout() = to_proto(seconds(5));
    return request;
}

class WorkflowTaskTest : public ::testing::Test {
protected:
    CompletedWorkflowTask complete(const StartedWorkflowTask& task, const Request& request) {
        auto reply = scenario_.apply(
            complete_workflow_task(scenario_.run(), task.token, request, scenario_.context()));
        check();
        return reply;
    }
    void fail(const StartedWorkflowTask& task,
              enums::WorkflowTaskFailedCause cause =
                  enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE) {
        service::RespondWorkflowTaskFailedRequest request;
        request.set_cause(cause);
        scenario_.apply(
            fail_workflow_task(scenario_.run(), task.token, request, scenario_.context()));
        check();
    }
    void signal(const std::string& name) {
        SignalInput input;
        input.name = name;
        scenario_.apply(signal_workflow(scenario_.run(), input, scenario_.context()));
        check();
    }
    absl::Status try_complete(const StartedWorkflowTask& task) {
        return complete_workflow_task(scenario_.run(), task.token, request_with(),
                                      scenario_.context())
            .status();
    }
    const storage::WorkflowTask& task() const { return scenario_.run().header.task(); }
    void check() const { check_rows_against_history(scenario_.run(), scenario_.history()); }

    Scenario scenario_;
};

TEST_F(WorkflowTaskTest, AWorkflowRunsFromStartThroughATimerToItsEnd) {
    scenario_.start();
    scenario_.run_task({start_timer("t", minutes(1))});
    scenario_.advance(minutes(1));
    scenario_.run_task({complete_workflow()});
    EXPECT_EQ(scenario_.text(),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowTaskScheduled\n"
              "3 WorkflowTaskStarted\n"
              "4 WorkflowTaskCompleted\n"
              "5 TimerStarted\n"
              "6 TimerFired\n"
              "7 WorkflowTaskScheduled\n"
              "8 WorkflowTaskStarted\n"
              "9 WorkflowTaskCompleted\n"
              "10 WorkflowExecutionCompleted\n");
    EXPECT_FALSE(scenario_.run().is_open());
    check();
}

TEST_F(WorkflowTaskTest, RecordingAStartMayBeLostButSchedulingMayNot) {
    scenario_.start();
    StartWorkflowTaskInput input;
    input.scheduled = EventId(2);
    input.stamp = task().stamp();
    input.request_id = "poll";
    input.task_queue = "queue";
    const auto started = start_workflow_task(scenario_.run(), input, scenario_.context());
    ASSERT_TRUE(started.ok());
    EXPECT_TRUE(started->transition.lazy);
    // Lost: the run still has the task to give, and the token of the lost start is worth nothing.
    EXPECT_EQ(message_of(complete_workflow_task(scenario_.run(), started->reply.token,
                                                request_with(), scenario_.context())
                             .status()),
              "Workflow task not found.");
    scenario_.set_now(scenario_.now() + seconds(1));
    const StartedWorkflowTask again = scenario_.start_task();
    EXPECT_EQ(again.started, started->reply.started);
    EXPECT_FALSE(complete_workflow_task(scenario_.run(), started->reply.token, request_with(),
                                        scenario_.context())
                     .ok());
    complete(again, request_with());
}

TEST_F(WorkflowTaskTest, TheSamePollGetsTheSameAnswerAgainAndAnotherNone) {
    scenario_.start();
    const StartedWorkflowTask first = scenario_.start_task();
    StartWorkflowTaskInput input;
    input.scheduled = EventId(2);
    input.stamp = first.token.stamp;
    input.request_id = task().request_id();
    input.task_queue = "queue";
    const auto again = start_workflow_task(scenario_.run(), input, scenario_.context());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->transition.empty);
    EXPECT_EQ(again->reply.token.started_time, first.token.started_time);
    input.request_id = "another poll";
    EXPECT_FALSE(start_workflow_task(scenario_.run(), input, scenario_.context()).ok());
}

TEST_F(WorkflowTaskTest, OnlyTheFirstFailureIsWrittenUntilAnAttemptSucceeds) {
    scenario_.start();
    fail(scenario_.start_task());
    fail(scenario_.start_task());
    const StartedWorkflowTask third = scenario_.start_task();
    EXPECT_EQ(third.attempt, 3);
    EXPECT_EQ(third.last_stored, EventId(4));
    ASSERT_EQ(third.synthesised.size(), 2U);
    EXPECT_EQ(third.synthesised[0].event_id(), 5);
    EXPECT_EQ(third.synthesised[1].event_id(), 6);
    EXPECT_EQ(third.started, EventId(6));
    complete(third, request_with({start_timer("t", hours(1))}));
    EXPECT_EQ(scenario_.text(),
              "1 WorkflowExecutionStarted\n"
              "2 WorkflowTaskScheduled\n"
              "3 WorkflowTaskStarted\n"
              "4 WorkflowTaskFailed WorkflowWorkerUnhandledFailure\n"
              "5 WorkflowTaskScheduled\n"
              "6 WorkflowTaskStarted\n"
              "7 WorkflowTaskCompleted\n"
              "8 TimerStarted\n");
    signal("s");
    EXPECT_EQ(scenario_.start_task().attempt, 1);
}

TEST_F(WorkflowTaskTest, AFailingWorkerIsAskedMoreAndMoreSlowly) {
    scenario_.start();
    std::vector<Duration> timeouts;
    for (int attempt = 1; attempt <= 14; ++attempt) {
        timeouts.push_back(from_proto(task().start_to_close()));
        scenario_.start_task();
        scenario_.advance(timeouts.back());
        check();
    }
    EXPECT_EQ(timeouts[2], seconds(10));
    EXPECT_EQ(timeouts[3], std::chrono::milliseconds(14'500));
    EXPECT_EQ(timeouts[4], seconds(10) + seconds(9));
    EXPECT_EQ(timeouts[13], seconds(10) + seconds(540));
    EXPECT_EQ(scenario_.last_event(), 4) << scenario_.text();
}

TEST_F(WorkflowTaskTest, EventsThatOvertakeAFailedTaskMakeItANormalOne) {
    scenario_.start();
    fail(scenario_.start_task());
    EXPECT_EQ(task().kind(), storage::TASK_KIND_TRANSIENT);
    signal("s");
    const StartedWorkflowTask started = scenario_.start_task();
    EXPECT_EQ(started.attempt, 1);
    EXPECT_TRUE(started.synthesised.empty());
    complete(started, request_with());
    EXPECT_EQ(scenario_.text_after(4),
              "5 WorkflowExecutionSignaled s\n"
              "6 WorkflowTaskScheduled\n"
              "7 WorkflowTaskStarted\n"
              "8 WorkflowTaskCompleted\n");
}

TEST_F(WorkflowTaskTest, SignalsThatArriveDuringATaskStandAfterItsCommands) {
    scenario_.start();
    const StartedWorkflowTask started = scenario_.start_task();
    signal("one");
    signal("two");
    EXPECT_EQ(scenario_.last_event(), 3);
    complete(started, request_with({start_timer("t", hours(1))}));
    EXPECT_EQ(scenario_.text_after(3),
              "4 WorkflowTaskCompleted\n"
              "5 TimerStarted\n"
              "6 WorkflowExecutionSignaled one\n"
              "7 WorkflowExecutionSignaled two\n"
              "8 WorkflowTaskScheduled\n");
}

TEST_F(WorkflowTaskTest, AWorkflowMayNotEndBehindASignalThatItHasNotSeen) {
    scenario_.start();
    const StartedWorkflowTask started = scenario_.start_task();
    signal("unseen");
    const CompletedWorkflowTask reply = complete(started, request_with({complete_workflow()}));
    EXPECT_EQ(reply.refusal.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(message_of(reply.refusal), "UnhandledCommand");
    EXPECT_EQ(scenario_.text_after(3),
              "4 WorkflowTaskFailed UnhandledCommand\n"
              "5 WorkflowExecutionSignaled unseen\n"
              "6 WorkflowTaskScheduled\n");
    scenario_.run_task({complete_workflow()});
    EXPECT_FALSE(scenario_.run().is_open());
}

TEST_F(WorkflowTaskTest, CancellingATimerThatFiredUnseenUndoesItsFiring) {
    scenario_.start([](StartInput& input) {
        *input.request.mutable_workflow_task_timeout() = to_proto(minutes(1));
    });
    scenario_.run_task({start_timer("t", seconds(20))});
    signal("s");
    const StartedWorkflowTask started = scenario_.start_task();
    scenario_.advance(seconds(20));
    EXPECT_EQ(scenario_.run().buffered.size(), 1U);
    Command cancel;
    cancel.set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
    cancel.mutable_cancel_timer_command_attributes()->set_timer_id("t");
    complete(started, request_with({cancel, complete_workflow()}));
    EXPECT_EQ(scenario_.text_after(8),
              "9 WorkflowTaskCompleted\n"
              "10 TimerCanceled\n"
              "11 WorkflowExecutionCompleted\n");
}

TEST_F(WorkflowTaskTest, AStickyTaskThatNobodyTakesGoesToTheNormalQueue) {
    scenario_.start();
    complete(scenario_.start_task(), sticky_request({start_timer("t", seconds(1))}));
    scenario_.advance(seconds(1));
    EXPECT_EQ(task().task_queue(), kSticky);
    scenario_.advance(seconds(5));
    EXPECT_EQ(task().task_queue(), "queue");
    EXPECT_EQ(task().attempt(), 1);
    const StartedWorkflowTask started = scenario_.start_task();
    EXPECT_FALSE(started.sticky);
    EXPECT_EQ(scenario_.text_after(5),
              "6 TimerFired\n"
              "7 WorkflowTaskScheduled\n"
              "8 WorkflowTaskTimedOut\n"
              "9 WorkflowTaskScheduled\n"
              "10 WorkflowTaskStarted\n");
}

TEST_F(WorkflowTaskTest, AStickyQueueWithoutAWorkerIsGivenUpWithoutAnEvent) {
    scenario_.start();
    complete(scenario_.start_task(), sticky_request({start_timer("t", seconds(1))}));
    scenario_.advance(seconds(1));
    const std::int64_t events = scenario_.last_event();
    scenario_.apply(give_up_sticky(scenario_.run(), EventId(task().scheduled_event_id()),
                                   task().stamp(), scenario_.context()));
    EXPECT_EQ(scenario_.last_event(), events);
    const StartedWorkflowTask started = scenario_.start_task();
    EXPECT_FALSE(started.sticky);
    EXPECT_EQ(started.previous_started, EventId(3));
}

TEST_F(WorkflowTaskTest, ATaskThatWasGivenUpStillTimesOut) {
    scenario_.start();
    complete(scenario_.start_task(), sticky_request());
    signal("s");
    scenario_.apply(give_up_sticky(scenario_.run(), EventId(task().scheduled_event_id()),
                                   task().stamp(), scenario_.context()));
    scenario_.advance(seconds(5));
    EXPECT_EQ(scenario_.text_after(6), "7 WorkflowTaskTimedOut\n8 WorkflowTaskScheduled\n");
    EXPECT_EQ(task().attempt(), 1);
    scenario_.advance(minutes(1));
    EXPECT_EQ(scenario_.last_event(), 8) << "a task on the normal queue waits for ever";
}

TEST_F(WorkflowTaskTest, ResettingStickinessTakesTheTaskOutOfTheWorkersQueue) {
    scenario_.start();
    complete(scenario_.start_task(), sticky_request());
    signal("s");
    scenario_.apply(reset_sticky(scenario_.run(), scenario_.context()));
    EXPECT_EQ(task().task_queue(), "queue");
    EXPECT_FALSE(scenario_.start_task().sticky);
    const auto again = reset_sticky(scenario_.run(), scenario_.context());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->transition.empty);
}

TEST_F(WorkflowTaskTest, AStickyTaskGoesToItsWorkerWithPartOfTheHistory) {
    scenario_.start();
    complete(scenario_.start_task(), sticky_request());
    signal("s");
    const StartedWorkflowTask started = scenario_.start_task();
    EXPECT_TRUE(started.sticky);
    EXPECT_EQ(started.previous_started, EventId(3));
    EXPECT_EQ(started.last_stored, EventId(7));
    fail(started);
    EXPECT_TRUE(scenario_.run().header.sticky_task_queue().empty());
    EXPECT_EQ(task().attempt(), 1) << "a failure on a sticky queue does not count";
    EXPECT_EQ(task().task_queue(), "queue");
}

TEST_F(WorkflowTaskTest, AWorkerThatAsksForTheNextTaskGetsItStarted) {
    scenario_.start();
    Request request = sticky_request();
    request.set_force_create_new_workflow_task(true);
    request.set_return_new_workflow_task(true);
    const CompletedWorkflowTask reply = complete(scenario_.start_task(), request);
    ASSERT_TRUE(reply.next.has_value());
    EXPECT_TRUE(reply.next->sticky);
    EXPECT_EQ(reply.next->previous_started, EventId(3));
    EXPECT_EQ(reply.next->started, EventId(6));
    EXPECT_FALSE(scenario_.workflow_task_is_queued());
    complete(*reply.next, request_with());
}

TEST_F(WorkflowTaskTest, HeartbeatsEndAfterHalfAnHour) {
    scenario_.start();
    Request request = sticky_request();
    request.set_force_create_new_workflow_task(true);
    request.set_return_new_workflow_task(true);
    StartedWorkflowTask current = scenario_.start_task();
    const Timestamp begin = scenario_.now();
    absl::Status refusal;
    while (refusal.ok()) {
        scenario_.set_now(scenario_.now() + seconds(5));
        const CompletedWorkflowTask reply = complete(current, request);
        refusal = reply.refusal;
        if (reply.next) current = *reply.next;
        ASSERT_LT(scenario_.now() - begin, minutes(31));
    }
    EXPECT_EQ(message_of(refusal), "workflow task heartbeat timeout");
    EXPECT_EQ(refusal.code(), absl::StatusCode::kNotFound);
    EXPECT_GT(scenario_.now() - begin, minutes(30));
    // The worker asked to be given the next task, and did not hear of it.
    EXPECT_FALSE(scenario_.workflow_task_is_queued());
    const std::int64_t events = scenario_.last_event();
    scenario_.advance(seconds(10));
    EXPECT_EQ(scenario_.text_after(events), std::to_string(events + 1) + " WorkflowTaskTimedOut\n" +
                                                std::to_string(events + 2) +
                                                " WorkflowTaskScheduled\n");
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
}

TEST_F(WorkflowTaskTest, ARefusedCommandFailsTheTaskOnceAndIsThenLeftToTimeOut) {
    scenario_.start();
    const CompletedWorkflowTask first =
        complete(scenario_.start_task(), request_with({start_timer("", seconds(1))}));
    EXPECT_EQ(message_of(first.refusal),
              "BadStartTimerAttributes: TimerId is not set on StartTimerCommand.");
    EXPECT_EQ(scenario_.text_after(3), "4 WorkflowTaskFailed BadStartTimerAttributes\n");
    const StartedWorkflowTask second = scenario_.start_task();
    const std::string before = rows_text(scenario_.run());
    const CompletedWorkflowTask again =
        complete(second, request_with({start_timer("", seconds(1))}));
    EXPECT_FALSE(again.refusal.ok());
    EXPECT_EQ(rows_text(scenario_.run()), before);
}

TEST_F(WorkflowTaskTest, NothingMayFollowACommandThatClosesTheRun) {
    scenario_.start();
    const StartedWorkflowTask started = scenario_.start_task();
    const auto refused = complete_workflow_task(
        scenario_.run(), started.token,
        request_with({complete_workflow(), start_timer("t", seconds(1))}), scenario_.context());
    EXPECT_EQ(message_of(refused.status()),
              "invalid command sequence: [CompleteWorkflowExecution, StartTimer], command "
              "CompleteWorkflowExecution must be the last command.");
    EXPECT_TRUE(try_complete(started).ok()) << "the task is still the worker's";
}

TEST_F(WorkflowTaskTest, AMessageTooLargeForTheWireTerminatesTheRun) {
    scenario_.start();
    fail(scenario_.start_task(), enums::WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE);
    EXPECT_EQ(scenario_.text_after(3),
              "4 WorkflowTaskFailed ForceCloseCommand\n"
              "5 WorkflowExecutionTerminated \"GrpcMessageTooLarge\"\n");
}

TEST_F(WorkflowTaskTest, TooManyWaitingEventsTakeTheTaskFromItsWorker) {
    scenario_.limits().buffered_events = 3;
    scenario_.start();
    const StartedWorkflowTask started = scenario_.start_task();
    for (int i = 0; i < 4; ++i) signal("s" + std::to_string(i));
    EXPECT_EQ(scenario_.text_after(3),
              "4 WorkflowTaskFailed ForceCloseCommand\n"
              "5 WorkflowExecutionSignaled s0\n"
              "6 WorkflowExecutionSignaled s1\n"
              "7 WorkflowExecutionSignaled s2\n"
              "8 WorkflowExecutionSignaled s3\n");
    EXPECT_EQ(task().attempt(), 2);
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
    EXPECT_EQ(message_of(try_complete(started)), "Workflow task not found.");
}

TEST_F(WorkflowTaskTest, ATaskThatGoesOverALimitIsNeitherHandedOutNorLostInACrash) {
    scenario_.limits().history_events = 5;
    scenario_.start();
    Request request = sticky_request();
    request.set_force_create_new_workflow_task(true);
    request.set_return_new_workflow_task(true);
    const StartedWorkflowTask started = scenario_.start_task();
    auto applied =
        complete_workflow_task(scenario_.run(), started.token, request, scenario_.context());
    ASSERT_TRUE(applied.ok());
    EXPECT_TRUE(applied->transition.closed);
    EXPECT_FALSE(applied->transition.lazy);
    EXPECT_FALSE(applied->reply.next.has_value());
}

TEST_F(WorkflowTaskTest, AHistoryThatGrowsTooLongIsTerminated) {
    scenario_.limits().history_events = 10;
    scenario_.start();
    for (int i = 0; i < 10 && scenario_.run().is_open(); ++i) signal("s" + std::to_string(i));
    EXPECT_FALSE(scenario_.run().is_open());
    EXPECT_EQ(scenario_.text_after(11),
              "12 WorkflowExecutionTerminated \"Workflow history count exceeds limit.\"\n");
}

}  // namespace
}  // namespace stele::history::testing
