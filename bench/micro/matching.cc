#include "matching/matching.h"

#include "env/posix/posix_env.h"

#include <benchmark/benchmark.h>

#include <condition_variable>
#include <mutex>

// What it takes to pair a task with a poll: shards that start at once stand behind, and each task is a poll
// that waits when its offer comes, or the other way round.
namespace stele::matching {
namespace {

using shard::PolledActivityTask;
using shard::PolledWorkflowTask;
using shard::QueryOffer;
using shard::QueueId;
using shard::TaskOffer;

class ReadyShards final : public shard::TaskStarter {
public:
    void start_workflow_task(const TaskOffer&, history::StartWorkflowTaskInput,
                             Reply<PolledWorkflowTask> reply) override {
        reply(PolledWorkflowTask());
    }
    void start_activity(const TaskOffer&, history::StartActivityInput,
                        Reply<PolledActivityTask> reply) override {
        reply(PolledActivityTask());
    }
    void start_query(const QueryOffer&, Reply<PolledWorkflowTask> reply) override {
        reply(PolledWorkflowTask());
    }
    void give_up_sticky(const TaskOffer&) override {}
    void return_task(const PolledWorkflowTask&) override {}
    void return_task(const PolledActivityTask&) override {}
    void refill(const QueueId&) override {}
    void count_backlog(const QueueId&, Reply<shard::QueueBacklog> reply) override {
        reply(shard::QueueBacklog());
    }
};

/// No limit on how many tasks leave a queue.
class Unlimited final : public QueueSettingsSource {
public:
    QueueSettings settings(const QueueId&) const override {
        QueueSettings settings;
        settings.partition_dispatch_rate = settings.namespace_dispatch_rate = 1e9;
        return settings;
    }
    QueueConfig config(const QueueId&) const override { return {}; }
    std::uint64_t version() const override { return 0; }
};

/// Counts answers, and lets one thread wait for a number of them.
class Answers {
public:
    void add() {
        const std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_one();
    }
    void wait(std::int64_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return count_ == count; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::int64_t count_ = 0;
};

constexpr std::int64_t kPairs = 4096;

class Pairing {
public:
    Pairing() : matching_(make_matching(*env_, shards_, settings_, {})) {}

    void poll() {
        for (std::int64_t i = 0; i < kPairs; ++i) {
            Poll poll;
            poll.queue = queue_;
            poll.identity = "worker";
            poll.request_id = "request";
            poll.expires = env_->now() + std::chrono::minutes(1);
            matching_->poll_workflow(std::move(poll), nullptr, [this](auto task) {
                if (!task.ok() || !*task) std::abort();
                answers_.add();
            });
        }
    }
    void offer() {
        for (std::int64_t i = 0; i < kPairs; ++i) {
            TaskOffer offer;
            offer.queue = queue_;
            offer.sequence = ++offered_;
            offer.created = env_->now();
            matching_->offer(std::move(offer));
        }
    }
    void wait() { answers_.wait(offered_); }

private:
    const QueueId queue_{"namespace", "queue"};
    ReadyShards shards_;
    Unlimited settings_;
    Answers answers_;
    std::int64_t offered_ = 0;
    std::unique_ptr<env::PosixEnv> env_ = env::make_posix_env();
    std::unique_ptr<Matching> matching_;
};

using Side = void (Pairing::*)();

void pairing(benchmark::State& state, Side first, Side second) {
    Pairing pairing;
    for (auto _ : state) {
        (pairing.*first)();
        (pairing.*second)();
        pairing.wait();
    }
    state.SetItemsProcessed(state.iterations() * kPairs);
}
BENCHMARK_CAPTURE(pairing, tasks_for_waiting_polls, &Pairing::poll, &Pairing::offer)->UseRealTime();
BENCHMARK_CAPTURE(pairing, polls_for_waiting_tasks, &Pairing::offer, &Pairing::poll)->UseRealTime();

}  // namespace
}  // namespace stele::matching
