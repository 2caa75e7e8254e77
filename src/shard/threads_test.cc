#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "env/posix/posix_env.h"
#include "shard/server_testing.h"
#include "shard/verify.h"
#include "store/memory/memory_store.h"

#include <condition_variable>
#include <mutex>
#include <thread>

// The engine on real threads, for the thread sanitizer: many callers, several shards, and workers
// that take what is offered on whatever thread that happens.
namespace stele::shard::testing {
namespace {

/// Hands every task to a worker that starts, completes and closes it at once.
class BusyWorker final : public DispatchSink {
public:
    BusyWorker(Engine& engine, NamespacePtr space) : engine_(engine), space_(std::move(space)) {}

    void offer_backlog(BacklogPart part) override {
        for (TaskOffer& task : part.tasks) offer(std::move(task));
    }
    void offer(TaskOffer offer) override {
        history::StartWorkflowTaskInput input;
        input.scheduled = offer.scheduled;
        input.stamp = offer.stamp;
        input.request_id = "poll";
        input.task_queue = offer.queue.name;
        engine_.start_workflow_task(offer, std::move(input),
                                    [this](absl::StatusOr<PolledWorkflowTask> task) {
                                        if (task.ok()) complete(*task);
                                    });
    }
    void offer_query(QueryOffer, absl::AnyInvocable<void(absl::Status)> unmatched) override {
        unmatched(unavailable("no worker answers queries here"));
    }
    bool has_recent_poller(const QueueId&) override { return true; }

private:
    void complete(const PolledWorkflowTask& task) {
        service::RespondWorkflowTaskCompletedRequest request;
        *request.add_commands() = complete_workflow();
        engine_.complete_workflow_task(space_, task.run, task.task.token, std::move(request),
                                       [](absl::StatusOr<CompletedTaskReply>) {});
    }

    Engine& engine_;
    NamespacePtr space_;
};

/// Counts answers and lets a test wait for the last.
class Countdown {
public:
    explicit Countdown(int count) : left_(count) {}
    void answer() {
        const std::lock_guard lock(mutex_);
        if (--left_ == 0) done_.notify_all();
    }
    bool wait() {
        std::unique_lock lock(mutex_);
        return done_.wait_for(lock, std::chrono::seconds(60), [this] { return left_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable done_;
    int left_;
};

TEST(Threads, ManyCallersOnManyShardsEndWithASoundStore) {
    constexpr int kCallers = 4;
    constexpr int kRunsPerCaller = 100;
    const auto env = env::make_posix_env(4);
    const auto store = store::make_memory_store();
    OneNamespace namespaces;
    EngineOptions options;
    options.shard_count = 3;
    options.cache_bytes = 512 * 1024;  // so that runs leave memory and are read again
    {
        const auto committer = store::make_committer(
            *env, *store, [](const absl::Status& status) { FAIL() << message_of(status); });
        const auto engine = make_engine(*env, *store, *committer, namespaces, options);
        BusyWorker worker(*engine, namespaces.space());
        engine->connect(worker);
        ASSERT_TRUE(engine->recover().ok());
        Countdown closed(kCallers * kRunsPerCaller);
        const auto call = [&](int caller) {
            for (int i = 0; i < kRunsPerCaller; ++i) {
                const std::string id = std::to_string(caller) + "-" + std::to_string(i);
                service::StartWorkflowExecutionRequest request;
                request.set_workflow_id(id);
                request.set_request_id(id);
                request.mutable_workflow_type()->set_name("type");
                request.mutable_task_queue()->set_name("queue");
                engine->start_workflow(namespaces.space(), request, [&, id](auto started) {
                    EXPECT_TRUE(started.ok());
                    HistoryQuery query;
                    query.run = {namespaces.space()->id, id, started->run_id};
                    query.wait_new_event = query.close_event_only = true;
                    engine->get_history(namespaces.space(), query, nullptr, [&](auto history) {
                        EXPECT_TRUE(history.ok() && !history->running);
                        closed.answer();
                    });
                });
            }
        };
        std::vector<std::thread> callers;
        for (int i = 0; i < kCallers; ++i) callers.emplace_back(call, i);
        for (std::thread& caller : callers) caller.join();
        EXPECT_TRUE(closed.wait());
        Countdown drained(1);
        engine->drain([&] { drained.answer(); });
        EXPECT_TRUE(drained.wait());
    }
    EXPECT_THAT(verify_store(*store), ::testing::IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
