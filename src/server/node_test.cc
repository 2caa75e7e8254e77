#include "server/node.h"

#include "env/sim/sim_env.h"
#include "frontend/frontend_testing.h"
#include "store/memory/memory_store.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace stele::server {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

/// A node that is killed and started again on the same store.
class NodeTest : public ::testing::Test {
protected:
    NodeTest() { boot(); }

    void boot() {
        process_ = sim_.make_process("server");
        auto node = Node::start(*process_, *store_, {});
        ASSERT_TRUE(node.ok()) << message_of(node.status());
        node_ = *std::move(node);
    }
    void restart() {
        // So that what is written lazily is in the store; a start that is lost is another story.
        sim_.run_for(std::chrono::seconds(1));
        process_->kill();
        node_.reset();
        boot();
    }

    template <typename Response>
    absl::StatusOr<Response> ask(const std::string& method,
                                 const google::protobuf::Message& request) {
        const auto call = std::make_shared<frontend::BytesCall>(
            request.SerializeAsString(), sim_.now() + std::chrono::seconds(10));
        node_->frontend().dispatch("/temporal.api.workflowservice.v1.WorkflowService/" + method,
                                   call);
        sim_.run_until([&call] { return call->answer.has_value(); }, std::chrono::seconds(20));
        if (!call->answer) return internal_error("never answered");
        STELE_RETURN_IF_ERROR(call->answer->status());
        Response response;
        EXPECT_TRUE(response.ParseFromString(**call->answer));
        return response;
    }

    void start_workflow() {
        service::StartWorkflowExecutionRequest request;
        request.set_namespace_("default");
        request.set_workflow_id("w");
        request.mutable_workflow_type()->set_name("type");
        request.mutable_task_queue()->set_name("queue");
        const auto started =
            ask<service::StartWorkflowExecutionResponse>("StartWorkflowExecution", request);
        ASSERT_TRUE(started.ok()) << message_of(started.status());
    }
    std::string workflow_task() {
        service::PollWorkflowTaskQueueRequest request;
        request.set_namespace_("default");
        request.mutable_task_queue()->set_name("queue");
        const auto task =
            ask<service::PollWorkflowTaskQueueResponse>("PollWorkflowTaskQueue", request);
        return task.ok() ? task->task_token() : std::string();
    }
    std::string activity_task() {
        service::PollActivityTaskQueueRequest request;
        request.set_namespace_("default");
        request.mutable_task_queue()->set_name("queue");
        const auto task =
            ask<service::PollActivityTaskQueueResponse>("PollActivityTaskQueue", request);
        return task.ok() ? task->task_token() : std::string();
    }
    absl::Status schedule_activity(const std::string& token) {
        service::RespondWorkflowTaskCompletedRequest request;
        request.set_namespace_("default");
        request.set_task_token(token);
        auto& command = *request.add_commands();
        command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
        auto& activity = *command.mutable_schedule_activity_task_command_attributes();
        activity.set_activity_id("a");
        activity.mutable_activity_type()->set_name("activity");
        activity.mutable_task_queue()->set_name("queue");
        activity.mutable_start_to_close_timeout()->set_seconds(60);
        return ask<service::RespondWorkflowTaskCompletedResponse>("RespondWorkflowTaskCompleted",
                                                                  request)
            .status();
    }
    absl::Status complete_activity(const std::string& token) {
        service::RespondActivityTaskCompletedRequest request;
        request.set_namespace_("default");
        request.set_task_token(token);
        return ask<service::RespondActivityTaskCompletedResponse>("RespondActivityTaskCompleted",
                                                                  request)
            .status();
    }
    int count(enums::EventType type) {
        service::GetWorkflowExecutionHistoryRequest request;
        request.set_namespace_("default");
        request.mutable_execution()->set_workflow_id("w");
        const auto read = ask<service::GetWorkflowExecutionHistoryResponse>(
            "GetWorkflowExecutionHistory", request);
        EXPECT_TRUE(read.ok()) << message_of(read.status());
        int found = 0;
        if (!read.ok()) return found;
        for (const auto& event : read->history().events()) found += event.event_type() == type;
        return found;
    }

    env::SimEnv sim_{env::SimOptions{.seed = 1}};
    std::unique_ptr<store::Store> store_ = store::make_memory_store();
    std::unique_ptr<env::SimProcess> process_;
    std::unique_ptr<Node> node_;
};

TEST_F(NodeTest, AWorkerCompletesAfterARestartWhatItWasGivenBeforeIt) {
    start_workflow();
    const std::string workflow_task_before = workflow_task();
    ASSERT_FALSE(workflow_task_before.empty());
    restart();
    const absl::Status scheduled = schedule_activity(workflow_task_before);
    EXPECT_TRUE(scheduled.ok()) << message_of(scheduled);

    const std::string activity_task_before = activity_task();
    ASSERT_FALSE(activity_task_before.empty());
    restart();
    const absl::Status completed = complete_activity(activity_task_before);
    EXPECT_TRUE(completed.ok()) << message_of(completed);
    EXPECT_EQ(count(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED), 1);
    EXPECT_EQ(count(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED), 1);
    EXPECT_EQ(count(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED), 1);
}

TEST_F(NodeTest, AnotherStoreTakesNoTokenOfThisOne) {
    start_workflow();
    const std::string before = workflow_task();
    process_->kill();
    node_.reset();
    store_ = store::make_memory_store();
    boot();
    start_workflow();
    EXPECT_EQ(schedule_activity(before).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace stele::server
