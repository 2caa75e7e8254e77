#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"

namespace stele::shard::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Tasks, AStartedTaskWhosePollHasGoneWaitsAgainAtOnce) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok());
    server.engine().return_task(*task);
    server.settle();
    EXPECT_THAT(server.offers().tasks, SizeIs(1));
    EXPECT_THAT(server.violations(), IsEmpty());
    EXPECT_EQ(server.complete(*task, {complete_workflow()}).status().code(),
              absl::StatusCode::kNotFound);
    const auto again = server.poll();
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(types(parse(again->history)),
              "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED");
    ASSERT_TRUE(server.complete(*again, {complete_workflow()}).ok());
    EXPECT_THAT(server.violations(), IsEmpty());
    server.restart();
    EXPECT_EQ(server.events("w"),
              "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED "
              "WORKFLOW_TASK_COMPLETED WORKFLOW_EXECUTION_COMPLETED");
}

TEST(Tasks, AReturnedTaskTakesWithItTheEventsThatWereBuffered) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok());
    ASSERT_TRUE(server.signal("w", "s").ok());
    server.engine().return_task(*task);
    const auto again = server.poll();
    ASSERT_TRUE(again.ok()) << message_of(again.status());
    EXPECT_EQ(types(parse(again->history)),
              "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_EXECUTION_SIGNALED "
              "WORKFLOW_TASK_STARTED");
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Tasks, AStartThatAReaderHasSeenIsNotTakenBack) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok());
    const std::string seen = server.events("w");
    server.engine().return_task(*task);
    server.settle();
    EXPECT_EQ(server.events("w"), seen);
    server.sim().run_for(std::chrono::seconds(11));
    EXPECT_THAT(server.events("w"), ::testing::StartsWith(seen + " WORKFLOW_TASK_TIMED_OUT"));
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Tasks, AReturnedActivityKeepsItsAttempt) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok());
    ASSERT_TRUE(server.complete(*task, {schedule_activity("a")}).ok());
    const auto first = server.poll_activity();
    ASSERT_TRUE(first.ok());
    server.engine().return_task(*first);
    const auto second = server.poll_activity();
    ASSERT_TRUE(second.ok()) << message_of(second.status());
    EXPECT_EQ(second->activity.row.attempt(), 1);
    EXPECT_EQ(server.complete_activity(*first).status().code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(server.complete_activity(*second).ok());
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Tasks, AStickyTaskThatNobodyTakesMovesToTheNormalQueue) {
    for (const bool told : {false, true}) {
        TestServer server;
        ASSERT_TRUE(server.start("w").ok());
        const auto task = server.poll();
        ASSERT_TRUE(task.ok());
        const auto sticky = [](service::RespondWorkflowTaskCompletedRequest& request) {
            auto& attributes = *request.mutable_sticky_attributes();
            attributes.mutable_worker_task_queue()->set_name("sticky");
            attributes.mutable_worker_task_queue()->set_kind(
                api::enums::v1::TASK_QUEUE_KIND_STICKY);
            *attributes.mutable_schedule_to_start_timeout() = to_proto(std::chrono::seconds(5));
        };
        ASSERT_TRUE(server.complete(*task, {}, sticky).ok());
        ASSERT_TRUE(server.signal("w", "s").ok());
        server.settle();
        ASSERT_THAT(server.offers().tasks, SizeIs(1));
        const TaskOffer offer = server.offers().tasks.front();
        EXPECT_TRUE(offer.sticky);
        EXPECT_EQ(offer.queue.name, "sticky");
        server.offers().tasks.clear();
        if (told) {
            server.engine().give_up_sticky(offer);
            server.settle();
        } else {
            server.restart();  // a sticky queue is found again as what it is
            ASSERT_THAT(server.offers().tasks, SizeIs(1));
            EXPECT_TRUE(server.offers().tasks.front().sticky);
            server.offers().tasks.clear();
            server.sim().run_for(std::chrono::seconds(6));
        }
        const auto again = server.poll();
        ASSERT_TRUE(again.ok()) << message_of(again.status());
        EXPECT_FALSE(again->task.sticky);
        EXPECT_EQ(parse(again->history).events(0).event_id(), 1);
        EXPECT_THAT(server.violations(), IsEmpty());
    }
}

TEST(Tasks, AStickyPollGetsOnlyWhatIsNew) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok());
    const auto sticky = [](service::RespondWorkflowTaskCompletedRequest& request) {
        request.mutable_sticky_attributes()->mutable_worker_task_queue()->set_name("sticky");
        *request.mutable_sticky_attributes()->mutable_schedule_to_start_timeout() =
            to_proto(std::chrono::seconds(5));
    };
    ASSERT_TRUE(server.complete(*task, {}, sticky).ok());
    ASSERT_TRUE(server.signal("w", "s").ok());
    const auto next = server.poll("sticky");
    ASSERT_TRUE(next.ok()) << message_of(next.status());
    EXPECT_EQ(types(parse(next->history)),
              "WORKFLOW_TASK_COMPLETED WORKFLOW_EXECUTION_SIGNALED WORKFLOW_TASK_SCHEDULED "
              "WORKFLOW_TASK_STARTED");
}

TEST(Tasks, ATaskThatNobodyFinishesTimesOutAndIsOfferedAgain) {
    TestServer server;
    ASSERT_TRUE(server.start("w").ok());
    for (int attempt = 1; attempt <= 3; ++attempt) {
        const auto task = server.poll();
        ASSERT_TRUE(task.ok()) << attempt << message_of(task.status());
        EXPECT_EQ(task->task.attempt, attempt);
        EXPECT_EQ(task->task.synthesised.size(), attempt == 1 ? 0U : 2U);
        server.sim().run_for(std::chrono::seconds(11));
        EXPECT_THAT(server.violations(), IsEmpty());
    }
    EXPECT_EQ(server.events("w"),
              "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED "
              "WORKFLOW_TASK_TIMED_OUT");
}

TEST(Backlog, TheWindowOfAQueueIsFilledFromTheStore) {
    EngineOptions options;
    options.backlog_window = 5;
    TestServer server(1, options);
    for (int i = 0; i < 12; ++i) ASSERT_TRUE(server.start("w" + std::to_string(i)).ok());
    server.restart();
    EXPECT_THAT(server.offers().tasks, SizeIs(5));
    int served = 0;
    for (int i = 0; i < 12; ++i) {
        const auto task = server.poll();
        ASSERT_TRUE(task.ok()) << message_of(task.status());
        ASSERT_TRUE(server.complete(*task, {complete_workflow()}).ok());
        ++served;
        if (!server.offers().tasks.empty()) continue;
        server.engine().refill({server.space()->id, "queue", QueueKind::kWorkflow});
        server.settle();
    }
    EXPECT_EQ(served, 12);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(Alarms, ManyTimersFireAfterARestart) {
    TestServer server;
    constexpr int kRuns = 200;
    for (int i = 0; i < kRuns; ++i) {
        ASSERT_TRUE(server.start("w" + std::to_string(i)).ok());
        const auto task = server.poll();
        ASSERT_TRUE(task.ok());
        ASSERT_TRUE(server.complete(*task, {start_timer("t", std::chrono::hours(1))}).ok());
    }
    server.restart();
    server.sim().run_for(std::chrono::minutes(30));
    server.offers().tasks.clear();
    server.sim().run_for(std::chrono::minutes(31));
    EXPECT_THAT(server.offers().tasks, SizeIs(kRuns));
    EXPECT_THAT(server.events("w7"), ::testing::HasSubstr("TIMER_FIRED WORKFLOW_TASK_SCHEDULED"));
    EXPECT_THAT(server.violations(), IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
