#include "shard/completions.h"
#include "shard/server_testing.h"
#include "store/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace stele::shard::testing {
namespace {

namespace enums = api::enums::v1;
using std::chrono::hours;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A receiver that answers as it is told, and takes everything once it has run out of answers.
class Receiver final : public CompletionSender {
public:
    void send(Completion completion, Reply<history::None> reply) override {
        sent.push_back(std::move(completion));
        if (answers.empty()) return reply(history::None());
        const absl::Status answer = answers.front();
        answers.pop_front();
        if (!answer.ok()) return reply(answer);
        reply(history::None());
    }
    void close() override {}

    std::vector<Completion> sent;
    std::deque<absl::Status> answers;
};

class CallbackDelivery : public ::testing::Test {
protected:
    CallbackDelivery() {
        EngineOptions options;
        options.completions = &receiver_;
        server_ = std::make_unique<TestServer>(1, options);
        auto request = server_->start_request("w");
        request.add_completion_callbacks()->mutable_nexus()->set_url("https://waits");
        EXPECT_TRUE(server_->start(request).ok());
    }
    void finish() {
        EXPECT_TRUE(server_->complete(*server_->poll(), {complete_workflow()}).ok());
        server_->settle();
    }
    api::workflow::v1::CallbackInfo described() {
        const auto answer = server_->play<service::DescribeWorkflowExecutionResponse>(
            [this](Reply<service::DescribeWorkflowExecutionResponse> reply) {
                server_->engine().describe(server_->space(), {server_->space()->id, "w", {}},
                                           std::move(reply));
            });
        EXPECT_TRUE(answer.ok());
        return answer.ok() ? answer->callbacks(0) : api::workflow::v1::CallbackInfo();
    }

    Receiver receiver_;
    std::unique_ptr<TestServer> server_;
};

TEST_F(CallbackDelivery, TellsTheOutcomeOnceTheRunHasClosed) {
    server_->settle();
    EXPECT_THAT(receiver_.sent, IsEmpty());
    EXPECT_EQ(described().state(), enums::CALLBACK_STATE_STANDBY);
    finish();
    ASSERT_THAT(receiver_.sent, SizeIs(1));
    EXPECT_EQ(receiver_.sent[0].callback.nexus().url(), "https://waits");
    EXPECT_EQ(receiver_.sent[0].outcome.event_type(),
              enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
    EXPECT_EQ(described().state(), enums::CALLBACK_STATE_SUCCEEDED);
    EXPECT_THAT(server_->violations(), IsEmpty());
    server_->restart();
    server_->settle();
    EXPECT_THAT(receiver_.sent, SizeIs(1));
}

TEST_F(CallbackDelivery, AnAddressThatIsNotAllowedIsNotCalled) {
    auto request = server_->start_request("plain");
    request.add_completion_callbacks()->mutable_nexus()->set_url("http://plain");
    ASSERT_TRUE(server_->start(request).ok());
    ASSERT_TRUE(server_->terminate("plain").ok());
    server_->settle();
    EXPECT_THAT(receiver_.sent, IsEmpty());
    EXPECT_THAT(server_->violations(), IsEmpty());
}

TEST_F(CallbackDelivery, BacksOffWhileTheReceiverIsDownAndOverARestart) {
    receiver_.answers = {unavailable("down"), unavailable("down")};
    finish();
    EXPECT_EQ(described().state(), enums::CALLBACK_STATE_BACKING_OFF);
    EXPECT_EQ(described().attempt(), 1);
    EXPECT_THAT(server_->violations(), IsEmpty());
    server_->sim().run_for(seconds(1));
    EXPECT_THAT(receiver_.sent, SizeIs(2));
    server_->restart();
    server_->settle();
    EXPECT_THAT(receiver_.sent, SizeIs(2)) << "two seconds have not passed";
    server_->sim().run_for(seconds(2));
    EXPECT_THAT(receiver_.sent, SizeIs(3));
    EXPECT_EQ(described().state(), enums::CALLBACK_STATE_SUCCEEDED);
    EXPECT_THAT(server_->violations(), IsEmpty());
}

TEST_F(CallbackDelivery, APowerLossAtAnyStepLosesNone) {
    for (int step = 1; step <= 60; step += 2) {
        TestServer server(static_cast<std::uint64_t>(step), server_->options());
        receiver_.sent.clear();
        auto request = server.start_request("w");
        request.add_completion_callbacks()->mutable_nexus()->set_url("https://waits");
        ASSERT_TRUE(server.start(request).ok());
        ASSERT_TRUE(server.complete(*server.poll(), {complete_workflow()}).ok());
        for (int i = 0; i < step; ++i) server.sim().run_one();
        server.lose_power();
        server.settle();
        EXPECT_FALSE(receiver_.sent.empty()) << "power lost after step " << step;
        EXPECT_THAT(server.violations(), IsEmpty());
    }
}

TEST_F(CallbackDelivery, AReceiverThatNeverAnswersDoesNotKeepTheRun) {
    for (int i = 0; i < 1'000; ++i) receiver_.answers.push_back(unavailable("down"));
    finish();
    server_->sim().run_for(server_->space()->retention + hours(1));
    EXPECT_EQ(server_->history("w").status().code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(server_->violations(), IsEmpty());
    const store::KeyRange outbox = store::table_range(store::Table::kOutbox);
    EXPECT_FALSE(server_->disk().content().scan(outbox.begin, outbox.end)->valid());
}

TEST_F(CallbackDelivery, AResetRunTellsNobodyAndTheOneInItsPlaceDoes) {
    const auto task = server_->poll();
    ASSERT_TRUE(server_->complete(*task, {}).ok());
    service::ResetWorkflowExecutionRequest reset;
    reset.mutable_workflow_execution()->set_workflow_id("w");
    reset.set_workflow_task_finish_event_id(4);
    reset.set_request_id("reset");
    const auto made = server_->play<service::ResetWorkflowExecutionResponse>(
        [&](Reply<service::ResetWorkflowExecutionResponse> reply) {
            server_->engine().reset(server_->space(), reset, std::move(reply));
        });
    ASSERT_TRUE(made.ok()) << message_of(made.status());
    server_->settle();
    EXPECT_THAT(receiver_.sent, IsEmpty());
    finish();
    ASSERT_THAT(receiver_.sent, SizeIs(1));
    EXPECT_EQ(receiver_.sent[0].run.run_id, made->run_id());
    EXPECT_THAT(server_->violations(), IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
