#include "sdk/data/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace api = temporal::api::workflowservice::v1;

constexpr PayloadLimits kSmall{
    .payloads_warning = 100, .payloads_max = 200, .memo_warning = 50, .memo_max = 80};

class LimitsTest : public ::testing::Test {
protected:
    /// The message of the refusal; empty when the request may be sent.
    std::string check(const google::protobuf::Message& request,
                      const PayloadLimits& limits = kSmall) {
        try {
            sdk::check_limits(limits, request,
                              [this](const LogRecord& record) { warnings_.push_back(record); });
        } catch (const PayloadTooLargeError& error) {
            return error.what();
        }
        return {};
    }

    static api::StartWorkflowExecutionRequest start(std::size_t first, std::size_t second) {
        api::StartWorkflowExecutionRequest request;
        request.mutable_input()->add_payloads()->set_data(std::string(first, 'x'));
        request.mutable_input()->add_payloads()->set_data(std::string(second, 'x'));
        return request;
    }

    std::vector<LogRecord> warnings_;
};

TEST_F(LimitsTest, SmallDataPassesInSilence) {
    EXPECT_EQ(check(start(40, 40)), "");
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(LimitsTest, LargeDataIsSentWithAWarningThatNamesIt) {
    EXPECT_EQ(check(start(60, 60)), "");
    ASSERT_EQ(warnings_.size(), 1u);
    EXPECT_EQ(warnings_[0].level, LogLevel::kWarning);
    EXPECT_THAT(warnings_[0].message, StartsWith("StartWorkflowExecutionRequest.input has 128"));
}

TEST_F(LimitsTest, ArgumentsCountTogether) {
    EXPECT_EQ(check(start(120, 120)),
              "StartWorkflowExecutionRequest.input has 248 bytes, more than the limit of 200");
}

TEST_F(LimitsTest, MemoHasALimitOfItsOwn) {
    api::StartWorkflowExecutionRequest request;
    (*request.mutable_memo()->mutable_fields())["note"].set_data(std::string(100, 'x'));
    EXPECT_THAT(check(request), AllOf(StartsWith("StartWorkflowExecutionRequest.memo has"),
                                      HasSubstr("limit of 80")));
}

TEST_F(LimitsTest, CommandThatIsTooLargeIsNamedByItsPlace) {
    api::RespondWorkflowTaskCompletedRequest request;
    request.add_commands();
    request.add_commands()
        ->mutable_schedule_activity_task_command_attributes()
        ->mutable_input()
        ->add_payloads()
        ->set_data(std::string(300, 'x'));
    EXPECT_THAT(check(request),
                HasSubstr("commands[1].schedule_activity_task_command_attributes.input has"));
}

TEST_F(LimitsTest, SearchAttributesAndHeadersAreTheServersBusiness) {
    api::StartWorkflowExecutionRequest request;
    (*request.mutable_search_attributes()->mutable_indexed_fields())["s"].set_data(
        std::string(300, 'x'));
    (*request.mutable_header()->mutable_fields())["h"].set_data(std::string(300, 'x'));
    EXPECT_EQ(check(request), "");
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(LimitsTest, ZeroMeansNoLimit) {
    EXPECT_EQ(check(start(5'000'000, 0), {0, 0, 0, 0}), "");
    EXPECT_TRUE(warnings_.empty());
    EXPECT_THAT(check(start(5'000'000, 0), {}), HasSubstr("limit of 2097152"));
}

int attempts = 0;
std::size_t measure(std::string text) { return text.size(); }

wf::task<std::size_t> passes_on() {
    // As if the code had been repaired after two attempts.
    const std::string text(++attempts < 3 ? 300 : 10, 'x');
    co_return co_await wf::activity<measure>(text, {.start_to_close = 10s});
}

/// A client and a worker with small limits on one thread.
class WorkerLimitsTest : public ::testing::Test {
protected:
    Client connect() {
        return Client::connect(
            {.payload_limits = kSmall, .logger = {}, .runtime = runtime_, .transport = server_});
    }

    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>(runtime_);
};

TEST_F(WorkerLimitsTest, CallOfAClientIsRefusedBeforeItIsSent) {
    Client client = connect();
    try {
        (void)client.start("Greet", {.id = "workflow", .task_queue = "queue"},
                           std::string(300, 'x'));
        FAIL() << "sent";
    } catch (const PayloadTooLargeError& error) {
        EXPECT_THAT(error.what(), HasSubstr("StartWorkflowExecutionRequest.input"));
    }
}

TEST_F(WorkerLimitsTest, WorkflowTaskFailsUntilTheCodeSendsLess) {
    Client client = connect();
    Worker worker(client, "queue");
    worker.register_workflow<passes_on>().register_activity<measure>();
    worker.start();
    attempts = 0;
    auto handle = client.start<passes_on>({.id = "workflow", .task_queue = "queue"});
    EXPECT_EQ(handle.result(), 10u);
    worker.stop();
    ASSERT_EQ(server_->failed_tasks.size(), 2u);
    EXPECT_THAT(server_->failed_tasks[0],
                HasSubstr("schedule_activity_task_command_attributes.input"));
}

}  // namespace
}  // namespace stele
