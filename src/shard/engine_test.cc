#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"

namespace stele::shard::testing {
namespace {

TEST(Engine, RunsAWorkflowWithOneActivityToItsEnd) {
    TestServer server;
    const auto started = server.start("one");
    ASSERT_TRUE(started.ok()) << message_of(started.status());
    EXPECT_TRUE(started->started);

    const auto task = server.poll();
    ASSERT_TRUE(task.ok()) << message_of(task.status());
    EXPECT_EQ(types(parse(task->history)),
              "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED");
    ASSERT_TRUE(server.complete(*task, {schedule_activity("a")}).ok());

    const auto activity = server.poll_activity();
    ASSERT_TRUE(activity.ok()) << message_of(activity.status());
    EXPECT_EQ(activity->activity.row.activity_id(), "a");
    ASSERT_TRUE(server.complete_activity(*activity).ok());

    const auto second = server.poll();
    ASSERT_TRUE(second.ok()) << message_of(second.status());
    ASSERT_TRUE(server.complete(*second, {complete_workflow()}).ok());
    EXPECT_EQ(server.events("one"),
              "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED "
              "WORKFLOW_TASK_COMPLETED ACTIVITY_TASK_SCHEDULED ACTIVITY_TASK_STARTED "
              "ACTIVITY_TASK_COMPLETED WORKFLOW_TASK_SCHEDULED WORKFLOW_TASK_STARTED "
              "WORKFLOW_TASK_COMPLETED WORKFLOW_EXECUTION_COMPLETED");
    EXPECT_THAT(server.violations(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
