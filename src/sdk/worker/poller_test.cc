#include <gtest/gtest.h>

#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "sdk/worker/poll_target.h"
#include "sdk/worker/rate_limit.h"
#include "sdk/worker/slots.h"
#include "stele/stele.h"

namespace stele::sdk {
namespace {

using namespace std::chrono_literals;

TEST(PollTargetTest, FixedNumberTakesNoAdvice) {
    PollTarget target(3);
    target.on_reply(5, true);
    target.on_exhausted();
    EXPECT_EQ(target.polls(), 3);
}

TEST(PollTargetTest, AdviceIsFollowedWithinTheBounds) {
    PollTarget target(PollerAutoscaling{.polls_min = 2, .polls_max = 6, .polls_at_start = 5});
    target.on_reply(1, true);
    EXPECT_EQ(target.polls(), 6);
    target.on_reply(1, true);
    EXPECT_EQ(target.polls(), 6);
    target.on_reply(-1, true);
    EXPECT_EQ(target.polls(), 5);
    target.on_reply(-9, true);
    EXPECT_EQ(target.polls(), 2);
}

TEST(PollTargetTest, EmptyPollsCountOnlyOnceTheServerHasGivenAdvice) {
    PollTarget target(PollerAutoscaling{.polls_at_start = 5});
    target.on_reply(std::nullopt, false);
    EXPECT_EQ(target.polls(), 5);
    target.on_reply(1, true);
    target.on_reply(std::nullopt, true);
    EXPECT_EQ(target.polls(), 6);
    target.on_reply(std::nullopt, false);
    EXPECT_EQ(target.polls(), 5);
}

TEST(PollTargetTest, ExhaustedServerIsPolledHalfAsMuch) {
    PollTarget target(PollerAutoscaling{.polls_at_start = 8});
    target.on_exhausted();
    EXPECT_EQ(target.polls(), 4);
}

TEST(RateLimitTest, LetsThroughSoManyASecondAndSavesUpOneSecondAtMost) {
    Runtime::Time now{1h};
    RateLimit limit(4, now);
    now += 1h;
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(limit.try_take(now)) << i;
    EXPECT_FALSE(limit.try_take(now));
    EXPECT_EQ(limit.until_next(), 250ms);
    EXPECT_TRUE(limit.try_take(now += 250ms));
    EXPECT_FALSE(limit.try_take(now));
    limit.give_back();
    EXPECT_TRUE(limit.try_take(now));
}

TEST(RateLimitTest, LessThanOneASecondStillLetsOneThrough) {
    Runtime::Time now{1h};
    RateLimit limit(0.1, now);
    EXPECT_TRUE(limit.try_take(now));
    EXPECT_FALSE(limit.try_take(now + 9s));
    EXPECT_TRUE(limit.try_take(now + 10s));
}

class PolledWorkerTest : public ::testing::Test {
protected:
    std::string run(const WorkerOptions& options, int rounds);

    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>(runtime_);
};

std::string paced(std::string text) { return "<" + text + ">"; }

wf::task<std::string> paces(std::string text, int rounds) {
    for (int i = 0; i < rounds; ++i)
        text = co_await wf::activity<paced>(text, {.start_to_close = 10s});
    co_return text;
}

std::string PolledWorkerTest::run(const WorkerOptions& options, int rounds) {
    auto client = Client::connect({.runtime = runtime_, .transport = server_});
    Worker worker(client, "queue", options);
    worker.register_workflow<paces>().register_activity<paced>();
    worker.start();
    std::string result =
        client.execute<paces>({.id = "workflow", .task_queue = "queue"}, "x", rounds);
    worker.stop();
    return result;
}

TEST_F(PolledWorkerTest, ActivitiesBeginAsOftenAsTheWorkersLimitAllows) {
    const auto begin = runtime_->now();
    EXPECT_EQ(run({.activities_per_second = 0.5}, 4), "<<<<x>>>>");
    EXPECT_GE(runtime_->now() - begin, 6s) << "one saved up, the others two seconds apart";
    EXPECT_LE(runtime_->now() - begin, 8s);
    EXPECT_EQ(server_->eager_activities, 0);
}

/// Refuses for a while, as a machine does that is busy.
class RefusingSlots final : public SlotSupplier {
public:
    explicit RefusingSlots(Runtime::Time until) : until_(until) {}
    bool allows(int taken, Runtime::Time now) override { return taken == 0 && now >= until_; }
    Milliseconds ask_again_after() const override { return 100ms; }

private:
    Runtime::Time until_;
};

TEST_F(PolledWorkerTest, RefusedSlotsAreAskedForAgain) {
    const auto begin = runtime_->now();
    EXPECT_EQ(run({.tuner = {.activities = std::make_shared<RefusingSlots>(begin + 5s)}}, 1),
              "<x>");
    EXPECT_GE(runtime_->now() - begin, 5s);
    EXPECT_LE(runtime_->now() - begin, 6s);
}

TEST_F(PolledWorkerTest, WorkerRunsOnTheSlotsOfAResourceTuner) {
    ResourceTunerOptions options;
    options.reader = [] { return ResourceUse{.memory = 0.99, .cpu = 0.99}; };
    EXPECT_EQ(run({.tuner = make_resource_tuner({}, options)}, 3), "<<<x>>>");
}

TEST_F(PolledWorkerTest, TwoSlotsAreEnoughForTheNormalAndTheStickyQueue) {
    EXPECT_EQ(run({.concurrent_workflow_tasks_max = 2}, 3), "<<<x>>>");
    EXPECT_EQ(server_->workflow_tasks, 4);
    EXPECT_EQ(server_->sticky_tasks, 3);
}

TEST_F(PolledWorkerTest, PollsFollowTheServersAdvice) {
    server_->poll_advice = 1;
    const PollerAutoscaling scaling{.polls_min = 1, .polls_max = 4, .polls_at_start = 1};
    EXPECT_EQ(run({.workflow_poller_autoscaling = scaling}, 6), "<<<<<<x>>>>>>");
    // The first task came through the normal queue, the others through the sticky one.
    EXPECT_EQ(server_->workflow_polls_max, 2 + 4);
}

TEST_F(PolledWorkerTest, OptionsThatCannotBeMeantAreRefused) {
    auto client = Client::connect({.runtime = runtime_, .transport = server_});
    EXPECT_THROW(Worker(client, "queue", {.activities_per_second = -1}), ConfigurationError);
    EXPECT_THROW(Worker(client, "queue", {.cached_runs_max = -1}), ConfigurationError);
    EXPECT_THROW(Worker(client, "queue", {.concurrent_activities_max = 0}), ConfigurationError);
    EXPECT_THROW(
        Worker(client, "queue", {.activity_poller_autoscaling = PollerAutoscaling{.polls_min = 0}}),
        ConfigurationError);
}

TEST_F(PolledWorkerTest, LimitOfTheQueueGoesOutWithThePolls) {
    EXPECT_EQ(run({.queue_activities_per_second = 50}, 1), "<x>");
    EXPECT_EQ(server_->activities_per_second, 50);
    EXPECT_EQ(server_->eager_activities, 0);
}

TEST_F(PolledWorkerTest, HeartbeatsTellOfSlotsPollersAndTheCache) {
    server_->heartbeats_known = true;
    EXPECT_EQ(run({.concurrent_activities_max = 7}, 3), "<<<x>>>");
    ASSERT_GE(server_->worker_heartbeats.size(), 2);
    const auto& first = server_->worker_heartbeats.front();
    EXPECT_EQ(first.status(), temporal::api::enums::v1::WORKER_STATUS_RUNNING);
    EXPECT_EQ(first.task_queue(), "queue");
    EXPECT_EQ(first.sdk_name(), "stele-cpp");
    EXPECT_EQ(first.activity_task_slots_info().current_available_slots(), 7);
    EXPECT_EQ(first.activity_task_slots_info().slot_supplier_kind(), "Fixed");
    EXPECT_EQ(first.workflow_poller_info().current_pollers(), 2);
    EXPECT_EQ(first.workflow_sticky_poller_info().current_pollers(), 2);
    EXPECT_FALSE(first.host_info().process_id().empty());
    const auto& last = server_->worker_heartbeats.back();
    EXPECT_EQ(last.status(), temporal::api::enums::v1::WORKER_STATUS_SHUTTING_DOWN);
    EXPECT_EQ(last.worker_instance_key(), first.worker_instance_key());
    EXPECT_GE(last.workflow_task_slots_info().total_processed_tasks(), 3);
    EXPECT_EQ(last.activity_task_slots_info().total_processed_tasks(), 3);
    EXPECT_EQ(last.total_sticky_cache_hit(), 3);
}

}  // namespace
}  // namespace stele::sdk
