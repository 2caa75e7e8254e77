#include "matching/nexus_tasks.h"

#include "matching/poller_scaling.h"
#include "matching/rate_counter.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <list>
#include <unordered_map>
#include <utility>

namespace stele::matching {
namespace {

using shard::NexusRequest;
using shard::QueueId;
using PollReply = Reply<std::optional<NexusTask>>;

constexpr Duration kSweepInterval = std::chrono::minutes(1);
constexpr Duration kGoneFor = std::chrono::minutes(5);
constexpr std::size_t kGoneWorkers = 10'000;

absl::Status too_many(const std::string& what) {
    temporal::api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(temporal::api::enums::v1::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
    detail.set_scope(temporal::api::enums::v1::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
    return make_error(absl::StatusCode::kResourceExhausted,
                      "too many " + what + " of one task queue", detail);
}

/// A poll that waits in its queue.
struct Waiter {
    std::uint64_t id = 0;
    Poll poll;
    CallScopePtr scope;
    PollReply reply;
    env::TimerId expiry = 0;
    Timestamp arrived{};
};
using WaiterPtr = std::shared_ptr<Waiter>;

/// A request until it is answered.
struct Task {
    NexusRequest request;
    Reply<history::NexusAnswer> reply;
    env::TimerId expiry = 0;
    Timestamp arrived{};
};

struct Queue {
    std::list<WaiterPtr> polls;
    std::list<std::string> waiting;             // ids of tasks that no worker has got
    std::map<std::string, PollerInfo> pollers;  // by identity
    RateCounter added;
    RateCounter dispatched;
    PollerScaling scaling;
};

class NexusTasksImpl final : public NexusTasks {
public:
    NexusTasksImpl(env::Env& env, const QueueSettingsSource& settings, MatchingOptions options)
        : env_(env), settings_(settings), options_(options), executor_(env.make_executor("nexus")) {
        executor_->post([this] { schedule_sweep(); });
    }

    void poll(Poll poll, CallScopePtr scope, PollReply reply) override {
        auto waiter = std::make_shared<Waiter>();
        waiter->poll = std::move(poll);
        waiter->scope = std::move(scope);
        waiter->reply = std::move(reply);
        executor_->post([this, waiter = std::move(waiter)] { add_poll(waiter); });
    }

    void dispatch(NexusRequest request, Reply<history::NexusAnswer> reply) override {
        executor_->post([this, request = std::move(request), reply = std::move(reply)]() mutable {
            add_task(std::move(request), std::move(reply));
        });
    }

    void respond(std::string task_id, history::NexusAnswer answer,
                 Reply<history::None> reply) override {
        executor_->post([this, id = std::move(task_id), answer = std::move(answer),
                         reply = std::move(reply)]() mutable {
            if (!end_task(id, std::move(answer))) {
                return reply(not_found("Nexus task not found or already expired"));
            }
            reply(history::None());
        });
    }

    void pollers(QueueId queue, Reply<std::vector<PollerInfo>> reply) override {
        executor_->post([this, queue = std::move(queue), reply = std::move(reply)]() mutable {
            std::vector<PollerInfo> found;
            const auto known = queues_.find(queue);
            if (known != queues_.end()) {
                forget_pollers(queue, known->second);
                for (const auto& [identity, poller] : known->second.pollers) {
                    found.push_back(poller);
                }
            }
            reply(std::move(found));
        });
    }

    void shutdown_worker(QueueId queue, std::string worker_instance_key) override {
        executor_->post([this, queue = std::move(queue), key = std::move(worker_instance_key)] {
            if (gone_workers_.size() >= kGoneWorkers) gone_workers_.clear();
            gone_workers_[key] = env_.now();
            const auto found = queues_.find(queue);
            if (found == queues_.end()) return;
            std::list<WaiterPtr> kept;
            for (const WaiterPtr& waiter : std::exchange(found->second.polls, {})) {
                if (waiter->poll.worker_instance_key == key) {
                    answer(*waiter, std::nullopt);
                } else {
                    kept.push_back(waiter);
                }
            }
            found->second.polls = std::move(kept);
        });
    }

    void drain() override {
        executor_->post([this] {
            draining_ = true;
            for (auto& [id, queue] : queues_) {
                for (const WaiterPtr& waiter : std::exchange(queue.polls, {})) {
                    answer(*waiter, std::nullopt);
                }
                queue.waiting.clear();
            }
            for (auto& [id, task] : std::exchange(tasks_, {})) {
                executor_->cancel(task.expiry);
                task.reply(unavailable("the server is shutting down"));
            }
        });
    }

private:
    // ---- polls -----------------------------------------------------------------------------

    void add_poll(const WaiterPtr& waiter) {
        const Timestamp now = env_.now();
        waiter->poll.expires =
            std::min(waiter->poll.expires, now + settings_.settings(waiter->poll.queue).long_poll);
        if (draining_ || waiter->poll.expires <= now ||
            gone_workers_.contains(waiter->poll.worker_instance_key)) {
            return waiter->reply(std::nullopt);
        }
        Queue& queue = queues_[waiter->poll.queue];
        if (queue.polls.size() >= options_.polls_per_queue) {
            return waiter->reply(too_many("concurrent polls"));
        }
        queue.pollers[waiter->poll.identity] = {
            waiter->poll.identity, now, 0, waiter->poll.worker_version, waiter->poll.deployment};
        waiter->id = ++last_id_;
        waiter->arrived = now;
        watch(waiter);
        queue.polls.push_back(waiter);
        pair(queue);
    }

    /// Arranges for the poll to end by its expiry or when its caller goes.
    void watch(const WaiterPtr& waiter) {
        const QueueId queue = waiter->poll.queue;
        const std::uint64_t id = waiter->id;
        waiter->expiry =
            executor_->run_at(waiter->poll.expires, [this, queue, id] { end_poll(queue, id); });
        if (waiter->scope == nullptr) return;
        waiter->scope->on_cancel(
            [this, queue, id] { executor_->post([this, queue, id] { end_poll(queue, id); }); });
    }

    void end_poll(const QueueId& id, std::uint64_t poll_id) {
        Queue& queue = queues_[id];
        for (auto waiter = queue.polls.begin(); waiter != queue.polls.end(); ++waiter) {
            if ((*waiter)->id != poll_id) continue;
            const WaiterPtr ended = *waiter;
            queue.polls.erase(waiter);
            return answer(*ended, std::nullopt);
        }
    }

    void answer(Waiter& waiter, std::optional<NexusTask> task) {
        executor_->cancel(waiter.expiry);
        if (waiter.scope != nullptr) waiter.scope->on_cancel({});
        waiter.reply(std::move(task));
    }

    // ---- requests --------------------------------------------------------------------------

    void add_task(NexusRequest request, Reply<history::NexusAnswer> reply) {
        if (draining_) return reply(unavailable("the server is shutting down"));
        Queue& queue = queues_[request.queue];
        if (queue.waiting.size() >= options_.window) {
            return reply(too_many("waiting Nexus requests"));
        }
        const std::string id = env::new_uuid(env_.random());
        Task& task = tasks_[id];
        task.request = std::move(request);
        task.reply = std::move(reply);
        task.arrived = env_.now();
        task.expiry = executor_->run_at(task.request.deadline, [this, id] {
            end_task(id, deadline_exceeded("no worker has answered the Nexus request in time"));
        });
        queue.added.add(task.arrived);
        queue.waiting.push_back(id);
        pair(queue);
    }

    /// False when nobody waits for the answer of the task any more.
    bool end_task(const std::string& id, absl::StatusOr<history::NexusAnswer> answer) {
        const auto found = tasks_.find(id);
        if (found == tasks_.end()) return false;
        Task task = std::move(found->second);
        tasks_.erase(found);
        executor_->cancel(task.expiry);
        queues_[task.request.queue].waiting.remove(id);
        task.reply(std::move(answer));
        return true;
    }

    void pair(Queue& queue) {
        while (!queue.polls.empty() && !queue.waiting.empty()) {
            const WaiterPtr waiter = queue.polls.front();
            queue.polls.pop_front();
            if (waiter->scope != nullptr && waiter->scope->cancelled()) {
                answer(*waiter, std::nullopt);
                continue;
            }
            NexusTask given;
            given.id = queue.waiting.front();
            given.poller_advice = advice_for(queue, *waiter);
            queue.waiting.pop_front();
            given.request = tasks_.at(given.id).request.request;
            queue.dispatched.add(env_.now());
            answer(*waiter, std::move(given));
        }
    }

    std::int32_t advice_for(Queue& queue, const Waiter& waiter) {
        PollerSituation situation;
        situation.now = env_.now();
        situation.waited = situation.now - waiter.arrived;
        situation.pollers = queue.pollers.size();
        situation.backlog = queue.waiting.size();
        situation.backlog_age = situation.now - tasks_.at(queue.waiting.front()).arrived;
        situation.added_per_second = queue.added.per_second(situation.now);
        situation.dispatched_per_second = queue.dispatched.per_second(situation.now);
        return queue.scaling.advise(settings_.settings(waiter.poll.queue), situation);
    }

    // ---- forgetting ------------------------------------------------------------------------

    void forget_pollers(const QueueId& id, Queue& queue) {
        const Duration kept = settings_.settings(id).poller_history;
        std::erase_if(queue.pollers, [&](const auto& poller) {
            return env_.now() - poller.second.last_access > kept;
        });
    }

    void schedule_sweep() {
        executor_->run_at(env_.now() + kSweepInterval, [this] {
            std::erase_if(gone_workers_, [&](const auto& worker) {
                return env_.now() - worker.second > kGoneFor;
            });
            for (auto& [id, queue] : queues_) forget_pollers(id, queue);
            std::erase_if(queues_, [](const auto& entry) {
                const Queue& queue = entry.second;
                return queue.pollers.empty() && queue.polls.empty() && queue.waiting.empty();
            });
            schedule_sweep();
        });
    }

    env::Env& env_;
    const QueueSettingsSource& settings_;
    MatchingOptions options_;
    std::map<QueueId, Queue> queues_;
    std::unordered_map<std::string, Task> tasks_;
    std::map<std::string, Timestamp> gone_workers_;  // by instance key: when they said so
    std::uint64_t last_id_ = 0;
    bool draining_ = false;
    std::unique_ptr<env::Executor> executor_;  // last: destroyed first, so nothing runs on a ruin
};

}  // namespace

std::unique_ptr<NexusTasks> make_nexus_tasks(env::Env& env, const QueueSettingsSource& settings,
                                             MatchingOptions options) {
    return std::make_unique<NexusTasksImpl>(env, settings, options);
}

}  // namespace stele::matching
