#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/server_testing.h"

namespace stele::shard::testing {
namespace {

using api::command::v1::Command;
namespace enums = api::enums::v1;

Command complete_workflow() {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes();
    return command;
}

Command schedule_activity(const std::string& id) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
    auto& attributes = *command.mutable_schedule_activity_task_command_attributes();
    attributes.set_activity_id(id);
    attributes.mutable_activity_type()->set_name("activity");
    attributes.mutable_task_queue()->set_name("queue");
    *attributes.mutable_start_to_close_timeout() = to_proto(std::chrono::seconds(10));
    return command;
}

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
