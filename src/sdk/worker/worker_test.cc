#include <gtest/gtest.h>

#include "sdk/client/client_core.h"
#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"

// Client and worker on one thread under a virtual clock, as a simulation runs them.
namespace stele {
namespace {

using namespace std::chrono_literals;

std::string decorate(std::string text) { return "<" + text + ">"; }

wf::task<std::string> patient(std::string text, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        co_await wf::sleep(std::chrono::hours(24 * 365));
        text = co_await wf::activity<decorate>(text, {.start_to_close = 10s});
    }
    co_return text;
}

class WorkerTest : public ::testing::Test {
protected:
    std::string run(WorkerOptions options, StartOptions start = {}) {
        start.id = "workflow";
        start.task_queue = "queue";
        auto client = Client::connect({.runtime = runtime_, .transport = server_});
        Worker worker = start_worker(client, options);
        const std::string result = client.execute<patient>(start, "x", 3);
        worker.stop();
        return result;
    }

    static Worker start_worker(const Client& client, WorkerOptions options = {},
                               std::string queue = "queue") {
        Worker worker(client, std::move(queue), options);
        worker.register_workflow<patient>().register_activity<decorate>();
        worker.start();
        return worker;
    }

    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>(runtime_);
};

TEST_F(WorkerTest, YearsPassInAnInstantWithoutAnyThread) {
    const auto begin = runtime_->now();
    EXPECT_EQ(run({}), "<<<x>>>");
    EXPECT_GE(runtime_->now() - begin, 3 * 365 * 24h);
    EXPECT_EQ(server_->workflow_tasks, 7);
    EXPECT_EQ(server_->sticky_tasks, 6);
}

TEST_F(WorkerTest, WithoutACacheEveryTaskReplaysAPagedHistory) {
    server_->page_events = 2;
    EXPECT_EQ(run({.cached_runs_max = 0}), "<<<x>>>");
    EXPECT_EQ(server_->sticky_tasks, 0);
}

TEST_F(WorkerTest, ActivitiesComeBackWithTheAnswerThatSchedulesThemUnlessThatIsSwitchedOff) {
    EXPECT_EQ(run({}), "<<<x>>>");
    EXPECT_EQ(server_->eager_activities, 3);
    server_ = std::make_shared<testing::FakeServer>(runtime_);
    EXPECT_EQ(run({.eager_activities = false}), "<<<x>>>");
    EXPECT_EQ(server_->eager_activities, 0);
    server_ = std::make_shared<testing::FakeServer>(runtime_);
    EXPECT_EQ(run({.queue_activities_per_second = 5}), "<<<x>>>");
    EXPECT_EQ(server_->eager_activities, 0);
}

TEST_F(WorkerTest, FirstTaskComesWithTheAnswerToAStartThatAsksForIt) {
    EXPECT_EQ(run({}), "<<<x>>>");
    EXPECT_EQ(server_->eager_starts, 0);
    EXPECT_EQ(run({}, {.eager = true}), "<<<x>>>");
    EXPECT_EQ(server_->eager_starts, 1);
    EXPECT_EQ(run({}, {.start_delay = 1s, .eager = true}), "<<<x>>>");
    EXPECT_EQ(run({}, {.cron_schedule = "@daily", .eager = true}), "<<<x>>>");
    EXPECT_EQ(server_->eager_starts, 1);
}

TEST_F(WorkerTest, FirstTaskGoesThroughTheQueueWithoutAFreeSlotAndWithoutAServerThatBringsIt) {
    auto client = Client::connect({.runtime = runtime_, .transport = server_});
    const auto execute = [&](bool eager) {
        return client.execute<patient>({.id = "workflow", .task_queue = "queue", .eager = eager},
                                       "x", 1);
    };
    {
        const Worker worker = start_worker(client, {.concurrent_workflow_tasks_max = 2});
        EXPECT_EQ(execute(false), "<x>");  // which brings all polls under way: they hold both slots
        EXPECT_EQ(execute(true), "<x>");
        EXPECT_EQ(server_->eager_starts, 0);
    }
    const Worker worker = start_worker(client, {.concurrent_workflow_tasks_max = 12});
    EXPECT_EQ(execute(false), "<x>");
    server_->brings_first_tasks = false;
    for (int i = 0; i < 30; ++i) EXPECT_EQ(execute(true), "<x>");
    // Slots that were taken in vain are free again, or the server would not be asked for this one.
    server_->brings_first_tasks = true;
    EXPECT_EQ(execute(true), "<x>");
    EXPECT_EQ(server_->eager_starts, 1);
}

TEST_F(WorkerTest, StartsOfOneClientAskItsWorkersThatStillRun) {
    auto client = Client::connect({.runtime = runtime_, .transport = server_});
    const auto start = [&] {
        return client.start<patient>({.id = "workflow", .task_queue = "queue", .eager = true}, "x",
                                     1);
    };
    (void)start();
    EXPECT_EQ(server_->eager_starts, 0);  // no worker yet
    const Worker other = start_worker(client, {}, "other queue");
    (void)start();
    EXPECT_EQ(server_->eager_starts, 0);
    start_worker(client).stop();
    (void)start();
    EXPECT_EQ(server_->eager_starts, 0);
    const Worker second = start_worker(client);
    EXPECT_EQ(start().result(), "<x>");
    EXPECT_EQ(server_->eager_starts, 1);
}

TEST_F(WorkerTest, OneActivityAtATimeIsEnoughForEagerAndPolledOnes) {
    EXPECT_EQ(run({.concurrent_activities_max = 1}), "<<<x>>>");
}

TEST_F(WorkerTest, CallsThatTheServerRefusesAreRepeated) {
    server_->refuse_every = 3;
    EXPECT_EQ(run({}), "<<<x>>>");
}

TEST_F(WorkerTest, TwoRunsOfTheSameSimulationTakeTheSameTime) {
    server_->refuse_every = 3;
    (void)run({});
    const auto first = runtime_->now();
    runtime_ = std::make_shared<testing::SingleThreadRuntime>();
    const testing::EndOfTest end_of_second_test(runtime_);
    server_ = std::make_shared<testing::FakeServer>(runtime_);
    server_->refuse_every = 3;
    (void)run({});
    EXPECT_EQ(runtime_->now(), first);
}

}  // namespace
}  // namespace stele
