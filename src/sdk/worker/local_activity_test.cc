#include <gtest/gtest.h>

#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"

// Local activities in a worker, on one thread under a virtual clock.
namespace stele {
namespace {

using namespace std::chrono_literals;

/// What the activity below does at each of its calls.
std::vector<std::string> script;
int calls = 0;

std::string act() {
    const std::string step = script.at(static_cast<std::size_t>(calls++));
    EXPECT_TRUE(activity::info().is_local);
    EXPECT_EQ(activity::info().attempt, calls);
    if (step == "fail") throw std::runtime_error("not yet");
    if (step == "fatal") throw ApplicationError("never", {.non_retryable = true});
    return step;
}

wf::task<std::string> calls_locally() {
    auto result = co_await wf::capture(wf::local_activity<act>(
        {.start_to_close = 30s, .retry = RetryPolicy{.initial_interval = 10s}}));
    co_return result.ok() ? result.value() : std::string(result.error()->root().what());
}

wf::task<std::string> calls_with_long_pauses() {
    auto result = co_await wf::capture(
        wf::local_activity<act>({.start_to_close = 30s,
                                 .retry = RetryPolicy{.initial_interval = 10min},
                                 .local_retry_max = 1min}));
    co_return result.ok() ? result.value() : std::string(result.error()->root().what());
}

class WorkerLocalActivityTest : public ::testing::Test {
protected:
    template <auto Fn>
    std::string run(std::vector<std::string> steps, WorkerOptions options = {}) {
        script = std::move(steps);
        calls = 0;
        auto client = Client::connect({.runtime = runtime_, .transport = server_});
        Worker worker(client, "queue", options);
        worker.register_activity<act>();
        worker.register_workflow<Fn>();
        worker.start();
        const std::string result = client.execute<Fn>({.id = "workflow", .task_queue = "queue"});
        worker.stop();
        return result;
    }

    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>(runtime_);
};

TEST_F(WorkerLocalActivityTest, ResultComesWithinOneTask) {
    EXPECT_EQ(run<calls_locally>({"fine"}), "fine");
    EXPECT_EQ(server_->workflow_tasks, 1);
}

TEST_F(WorkerLocalActivityTest, FailedAttemptsAreRepeatedWhileHeartbeatsKeepTheTask) {
    const auto begin = runtime_->now();
    EXPECT_EQ(run<calls_locally>({"fail", "fail", "fine"}), "fine");
    EXPECT_GE(runtime_->now() - begin, 30s);
    EXPECT_GE(server_->heartbeats, 3);
    EXPECT_EQ(calls, 3);
}

TEST_F(WorkerLocalActivityTest, FailureThatIsNotToBeRepeatedEndsIt) {
    EXPECT_NE(run<calls_locally>({"fatal"}).find("never"), std::string::npos);
    EXPECT_EQ(calls, 1);
}

TEST_F(WorkerLocalActivityTest, LongPauseIsSpentInATimer) {
    const auto begin = runtime_->now();
    EXPECT_EQ(run<calls_with_long_pauses>({"fail", "fine"}), "fine");
    EXPECT_GE(runtime_->now() - begin, 10min);
    EXPECT_EQ(server_->heartbeats, 0);
    EXPECT_EQ(server_->workflow_tasks, 2);
}

TEST_F(WorkerLocalActivityTest, WithoutACacheTheOutcomeIsReadFromTheMarker) {
    EXPECT_EQ(run<calls_with_long_pauses>({"fail", "fine"}, {.cached_runs_max = 0}), "fine");
    EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace stele
