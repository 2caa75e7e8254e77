#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history/nexus_endpoints.h"
#include "shard/server_testing.h"
#include "shard/verify.h"

namespace stele::shard::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class OneEndpoint final : public history::NexusEndpoints {
public:
    OneEndpoint() {
        row_.set_id("endpoint-id");
        row_.set_name("endpoint");
        row_.set_namespace_id("namespace-id");
        row_.set_task_queue("handlers");
    }
    std::optional<storage::NexusEndpointRow> by_name(const std::string&) const override {
        return row_;
    }
    std::optional<storage::NexusEndpointRow> by_id(const std::string&) const override {
        return row_;
    }

private:
    storage::NexusEndpointRow row_;
};

EngineOptions many_shards() {
    static const OneEndpoint kEndpoint;
    EngineOptions options;
    options.shard_count = 4;
    options.nexus_endpoints = &kEndpoint;
    return options;
}

history::Limits limits() {
    history::Limits limits;
    limits.signal_with_start_operation = true;
    limits.cancel_activity_commands = true;
    return limits;
}

api::command::v1::Command nexus_command() {
    api::command::v1::Command command;
    command.set_command_type(api::enums::v1::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION);
    command.mutable_schedule_nexus_operation_command_attributes()->set_endpoint("endpoint");
    return command;
}

api::command::v1::Command signal_with_start(const std::string& workflow_id) {
    service::SignalWithStartWorkflowExecutionRequest request;
    request.set_workflow_id(workflow_id);
    request.set_signal_name("signal");
    request.mutable_workflow_type()->set_name("type");
    request.mutable_task_queue()->set_name("target-queue");
    api::command::v1::Command command = nexus_command();
    auto& attributes = *command.mutable_schedule_nexus_operation_command_attributes();
    attributes.set_endpoint(history::kSystemEndpoint);
    attributes.set_service("temporal.api.workflowservice.v1.WorkflowService");
    attributes.set_operation("SignalWithStartWorkflowExecution");
    (*attributes.mutable_input()->mutable_metadata())["encoding"] = "binary/protobuf";
    attributes.mutable_input()->set_data(request.SerializeAsString());
    return command;
}

void ask(TestServer& server, const api::command::v1::Command& command) {
    ASSERT_TRUE(server.start("source").ok());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok()) << message_of(task.status());
    ASSERT_TRUE(server.complete(*task, {command}).ok());
}

TEST(NexusOutbox, ASignalWithStartStartsTheTargetAndItsOutcomeComesBack) {
    TestServer server(1, many_shards(), limits());
    ask(server, signal_with_start("target"));
    server.settle();
    EXPECT_EQ(server.events("target"),
              "WORKFLOW_EXECUTION_STARTED WORKFLOW_EXECUTION_SIGNALED WORKFLOW_TASK_SCHEDULED");
    EXPECT_THAT(server.events("source"), HasSubstr("NEXUS_OPERATION_COMPLETED"));
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(NexusOutbox, ASignalWithStartSignalsARunThatIsThere) {
    TestServer server(1, many_shards(), limits());
    ASSERT_TRUE(server.start("target").ok());
    server.settle();
    server.offers().tasks.clear();
    ask(server, signal_with_start("target"));
    server.settle();
    EXPECT_EQ(signals_in(server.events("target")), 1);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(NexusOutbox, ACrashDuringASignalWithStartNeitherLosesNorRepeatsIt) {
    for (std::uint64_t step = 1; step <= 120; step += 3) {
        TestServer server(step, many_shards(), limits());
        ask(server, signal_with_start("target"));
        for (std::uint64_t i = 0; i < step; ++i) server.sim().run_one();
        server.lose_power();
        EXPECT_THAT(verify_store(server.disk().content()), IsEmpty());
        server.settle();
        EXPECT_EQ(signals_in(server.events("target")), 1) << "crash after step " << step;
        EXPECT_THAT(server.events("source"), HasSubstr("NEXUS_OPERATION_COMPLETED"));
        EXPECT_THAT(server.violations(), IsEmpty());
    }
}

TEST(NexusOutbox, ACallOfAWorkerIsMadeAgainUntilItIsAnswered) {
    TestServer server(1, many_shards(), limits());
    ask(server, nexus_command());
    server.settle();
    ASSERT_EQ(server.nexus().calls.size(), 1U);
    EXPECT_EQ(server.nexus().calls[0].request.queue.name, "handlers");
    server.nexus().calls[0].reply(deadline_exceeded("nobody"));
    server.settle();
    EXPECT_THAT(server.violations(), IsEmpty());
    server.sim().run_for(std::chrono::seconds(1));
    ASSERT_EQ(server.nexus().calls.size(), 2U);
    api::nexus::v1::Response response;
    response.mutable_start_operation()->mutable_sync_success()->mutable_payload()->set_data("ok");
    server.nexus().calls[1].reply(history::NexusAnswer(response));
    server.settle();
    EXPECT_THAT(server.events("source"), HasSubstr("NEXUS_OPERATION_COMPLETED"));
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(NexusOutbox, ACallThatACrashCutsOffIsMadeAgain) {
    TestServer server(1, many_shards(), limits());
    ask(server, nexus_command());
    server.settle();
    server.restart();
    server.settle();
    EXPECT_EQ(server.nexus().calls.size(), 1U);
    EXPECT_THAT(server.violations(), IsEmpty());
}

TEST(NexusOutbox, AWorkerIsToldOfACloseAndThenLeftAloneIfItDoesNotAnswer) {
    TestServer server(1, many_shards(), limits());
    ask(server, schedule_activity("a"));
    ASSERT_TRUE(server.poll_activity("queue", "control").ok());
    ASSERT_TRUE(server.terminate("source").ok());
    for (int attempt = 0; attempt < 5; ++attempt) {
        server.settle();
        for (auto& commands : std::exchange(server.nexus().commands, {})) {
            EXPECT_EQ(commands.request.queue.name, "control");
            EXPECT_EQ(commands.request.activities.at(0).activity_id, "a");
            commands.reply(deadline_exceeded("nobody"));
            server.nexus().answered++;
        }
    }
    EXPECT_EQ(server.nexus().answered, 3);
    EXPECT_THAT(server.violations(), IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
