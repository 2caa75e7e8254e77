#include "matching/matching.h"

#include "base/probe.h"
#include "env/mutex.h"
#include "matching/task_queue.h"
#include "shard/queue_map.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <absl/container/flat_hash_map.h>

#include <utility>

namespace stele::matching {
namespace {

using shard::PolledActivityTask;
using shard::PolledWorkflowTask;
using shard::QueryOffer;
using shard::QueueId;
using shard::QueueKind;
using shard::TaskOffer;

/// How long a task that a shard could not start just now rests before it is tried again.
constexpr Duration kRetryDelay = std::chrono::milliseconds(100);
/// A queue without a poll for this long is taken to have no workers, as far as queries go.
constexpr Duration kNoPollerAfter = std::chrono::seconds(20);
/// How long, and how many, workers are remembered that have said that they stop.
constexpr Duration kGoneFor = std::chrono::minutes(5);
constexpr std::size_t kGoneWorkers = 10'000;

absl::Status too_many_polls() {
    temporal::api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(temporal::api::enums::v1::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
    detail.set_scope(temporal::api::enums::v1::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
    return make_error(absl::StatusCode::kResourceExhausted,
                      "too many concurrent polls of one task queue", detail);
}

/// When queues were last polled, for callers on other executors.
class PollTimes {
public:
    void note(const QueueId& queue, Timestamp now) {
        const env::MutexLock lock(mutex_);
        times_[queue] = now;
    }
    void forget(const QueueId& queue) {
        const env::MutexLock lock(mutex_);
        times_.erase(queue);
    }
    std::optional<Timestamp> last(const QueueId& queue) {
        const env::MutexLock lock(mutex_);
        const auto found = times_.find(queue);
        if (found == times_.end()) return std::nullopt;
        return found->second;
    }

private:
    env::Mutex mutex_;
    absl::flat_hash_map<QueueId, Timestamp> times_ STELE_GUARDED_BY(mutex_);
};

class MatchingImpl final : public Matching {
public:
    MatchingImpl(env::Env& env, shard::TaskStarter& starter, const QueueSettingsSource& settings,
                 MatchingOptions options)
        : env_(env),
          starter_(starter),
          settings_(settings),
          options_(options),
          executor_(env.make_executor("matching")) {
        executor_->post([this] { schedule_sweep(); });
    }

    void poll_workflow(Poll poll, CallScopePtr scope, WorkflowReply reply) override {
        post_poll(std::move(poll), std::move(scope), std::move(reply));
    }
    void poll_activity(Poll poll, CallScopePtr scope, ActivityReply reply) override {
        post_poll(std::move(poll), std::move(scope), std::move(reply));
    }

    void offer(TaskOffer offer) override {
        executor_->post([this, offer = std::move(offer)]() mutable { add_task(std::move(offer)); });
    }

    void offer_backlog(shard::BacklogPart part) override {
        executor_->post([this, part = std::move(part)]() mutable { add_backlog(std::move(part)); });
    }

    void offer_query(QueryOffer offer, absl::AnyInvocable<void(absl::Status)> unmatched) override {
        executor_->post(
            [this, offer = std::move(offer), unmatched = std::move(unmatched)]() mutable {
                add_query(std::move(offer), std::move(unmatched));
            });
    }

    bool has_recent_poller(const QueueId& queue) override {
        const auto last = poll_times_.last(queue);
        return last && (*last == kNever || env_.now() - *last < options_.sticky_unavailable_after);
    }

    void describe(QueueId queue, Reply<QueueDescription> reply) override {
        executor_->post([this, queue = std::move(queue), reply = std::move(reply)]() mutable {
            reply(description_of(queue));
        });
    }

    void shutdown_sticky(QueueId queue) override {
        executor_->post([this, queue = std::move(queue)] { close_queue(queue); });
    }

    void shutdown_worker(QueueId queue, std::string worker_instance_key) override {
        executor_->post([this, queue = std::move(queue), key = std::move(worker_instance_key)] {
            close_worker(queue, key);
        });
    }

    void settings_changed(std::optional<QueueId> changed) override {
        executor_->post([this, changed = std::move(changed)] {
            for (auto& [id, queue] : queues_) {
                if (changed && id != *changed) continue;
                refresh_settings(queue);
                serve_waiting(queue);
            }
        });
    }

    void drain() override {
        executor_->post([this] {
            draining_ = true;
            for (auto& [id, queue] : queues_) answer_all_empty(queue);
        });
    }

private:
    // ---- polls -----------------------------------------------------------------------------

    template <typename ReplyType>
    void post_poll(Poll poll, CallScopePtr scope, ReplyType reply) {
        auto waiting = std::make_shared<WaitingPoll>();
        waiting->poll = std::move(poll);
        waiting->scope = std::move(scope);
        waiting->reply = std::move(reply);
        executor_->post([this, waiting = std::move(waiting)] { add_poll(waiting); });
    }

    void add_poll(const WaitingPollPtr& waiting) {
        if (draining_) return answer_empty(*waiting);
        const Timestamp now = env_.now();
        TaskQueue& queue = queue_of(waiting->poll.queue);
        if (queue.polls.size() >= options_.polls_per_queue ||
            STELE_FAULT("matching.too-many-polls"))
            return refuse(*waiting, too_many_polls());
        if (gone_workers_.contains(waiting->poll.worker_instance_key))
            return answer_empty(*waiting);
        note_poller(queue, waiting->poll, now);
        waiting->poll.expires = std::min(waiting->poll.expires, now + queue.settings.long_poll);
        waiting->id = ++last_id_;
        waiting->arrived = now;
        waiting->open = true;
        ++queue.open_polls;
        note_poll(queue, now);
        watch(waiting);
        serve(queue, waiting);
        // The poll may have raised the rate that kept others waiting.
        serve_waiting(queue);
    }

    /// Arranges for the poll to end by its expiry or when its caller goes.
    void watch(const WaitingPollPtr& waiting) {
        const QueueId queue = waiting->poll.queue;
        const std::uint64_t id = waiting->id;
        waiting->expiry =
            executor_->run_at(waiting->poll.expires, [this, queue, id] { end_waiting(queue, id); });
        if (waiting->scope == nullptr) return;
        waiting->scope->on_cancel(
            [this, queue, id] { executor_->post([this, queue, id] { end_waiting(queue, id); }); });
    }

    /// Answers a poll that still waits in its queue; one that is being served ends by itself.
    void end_waiting(const QueueId& id, std::uint64_t poll_id) {
        TaskQueue& queue = queue_of(id);
        for (auto poll = queue.polls.begin(); poll != queue.polls.end(); ++poll) {
            if ((*poll)->id != poll_id) continue;
            const WaitingPollPtr waiting = *poll;
            queue.polls.erase(poll);
            return answer_empty(*waiting);
        }
    }

    void release(WaitingPoll& waiting) {
        executor_->cancel(waiting.expiry);
        if (waiting.scope != nullptr) waiting.scope->on_cancel({});
        if (!std::exchange(waiting.open, false)) return;
        TaskQueue& queue = queue_of(waiting.poll.queue);
        --queue.open_polls;
        if (waiting.arrived > queue.closed) return note_poll(queue, env_.now());
        // The worker has ended while this poll was being given a task. No poll follows it, so what
        // was offered meanwhile must not wait for one.
        executor_->post([this, id = waiting.poll.queue] {
            TaskQueue& left = queue_of(id);
            if (is_dead(left)) give_up_tasks(left);
        });
    }

    void answer_empty(WaitingPoll& waiting) {
        release(waiting);
        std::visit([](auto& reply) { reply(std::nullopt); }, waiting.reply);
    }

    void refuse(WaitingPoll& waiting, const absl::Status& status) {
        release(waiting);
        std::visit([&](auto& reply) { reply(status); }, waiting.reply);
    }

    bool is_gone(const WaitingPoll& waiting) const {
        return waiting.scope != nullptr && waiting.scope->cancelled();
    }

    // ---- pairing ---------------------------------------------------------------------------

    /// Gives the poll what there is, or lets it wait.
    void serve(TaskQueue& queue, const WaitingPollPtr& waiting) {
        const bool late = waiting->poll.expires <= env_.now();
        STELE_PROBE_IF("matching.poll-gone", is_gone(*waiting));
        STELE_PROBE_IF("matching.poll-expired-before-served", late);
        if (is_gone(*waiting) || draining_ || late || STELE_FAULT("matching.poll-ends-empty")) {
            return answer_empty(*waiting);
        }
        if (!queue.queries.empty()) return start_query(queue, waiting);
        if (auto task = next_task(queue)) {
            refill_if_low(queue);
            return start(*std::move(task), waiting);
        }
        queue.polls.push_back(waiting);
    }

    /// Pairs for as long as there is somebody on both sides. More than one poll may be used up by
    /// one task, because the first may have gone without a word.
    void serve_waiting(TaskQueue& queue) {
        while (!queue.polls.empty() && (!queue.queries.empty() || may_dispatch(queue))) {
            const WaitingPollPtr waiting = queue.polls.front();
            queue.polls.pop_front();
            serve(queue, waiting);
        }
    }

    /// Whether there is a task that the limits let out now. If only the limits are in the way, comes
    /// back when they are not.
    bool may_dispatch(TaskQueue& queue) {
        const Timestamp now = env_.now();
        if (STELE_FAULT("matching.held-back")) {
            serve_again_at(queue, now + std::chrono::milliseconds(50));
            return false;
        }
        Timestamp soonest = kNever;
        const bool found = queue.tasks.any([&](const TaskOffer& offer) {
            const Timestamp next = queue.limits.next(offer, now);
            soonest = std::min(soonest, next);
            return next <= now;
        });
        if (!found && !queue.tasks.empty()) {
            STELE_PROBE("matching.held-back-by-limit");
            queue.held_back.add(now);
            serve_again_at(queue, soonest);
        }
        return found;
    }

    std::optional<TaskOffer> next_task(TaskQueue& queue) {
        if (!may_dispatch(queue)) return std::nullopt;
        const Timestamp now = env_.now();
        auto task = queue.tasks.pop(
            [&](const TaskOffer& offer) { return queue.limits.next(offer, now) <= now; });
        queue.limits.take(*task, queue.tasks.weight_of(*task), now);
        return task;
    }

    void serve_again_at(TaskQueue& queue, Timestamp when) {
        if (when == kNever || queue.limit_timer != 0) return;
        queue.limit_timer = executor_->run_at(when, [this, id = queue.id] {
            TaskQueue& later = queue_of(id);
            later.limit_timer = 0;
            serve_waiting(later);
        });
    }

    void refill_if_low(TaskQueue& queue) {
        if (!queue.tasks.take_refill()) return;
        STELE_PROBE("matching.refill");
        if (STELE_BUG("matching.refill-forgotten")) return;
        starter_.refill(queue.id);
    }

    void add_task(TaskOffer offer, bool again = false) {
        if (draining_) return;
        TaskQueue& queue = queue_of(offer.queue);
        queue.sticky = queue.sticky || offer.sticky;
        if (offer.sticky && is_dead(queue)) {
            STELE_PROBE("matching.sticky-queue-dead");
            if (STELE_BUG("matching.sticky-task-dropped")) return;
            return starter_.give_up_sticky(offer);
        }
        if (offer.sticky && STELE_FAULT("matching.sticky-given-up")) {
            return starter_.give_up_sticky(offer);
        }
        // A task that is tried again has been counted.
        if (!again) queue.counters[offer.priority].added.add(env_.now());
        if (!queue.tasks.push(std::move(offer))) {
            STELE_PROBE("matching.task-not-taken");
            return;
        }
        serve_waiting(queue);
    }

    void add_backlog(shard::BacklogPart part) {
        if (draining_ || part.tasks.empty()) return;
        TaskQueue& queue = queue_of(part.queue);
        queue.sticky = queue.sticky || part.tasks.front().sticky;
        queue.tasks.push_backlog(std::move(part.tasks), part.more);
        STELE_PROBE_IF("matching.backlog-of-dead-queue", is_dead(queue));
        if (is_dead(queue)) return give_up_tasks(queue);
        serve_waiting(queue);
    }

    void start(TaskOffer offer, const WaitingPollPtr& waiting) {
        if (STELE_FAULT("matching.task-put-off")) {
            retry_later(std::move(offer));
            return answer_empty(*waiting);
        }
        if (offer.queue.kind == QueueKind::kWorkflow)
            return start_workflow_task(std::move(offer), waiting);
        start_activity(std::move(offer), waiting);
    }

    void start_workflow_task(TaskOffer offer, const WaitingPollPtr& waiting) {
        history::StartWorkflowTaskInput input;
        input.scheduled = offer.scheduled;
        input.stamp = offer.stamp;
        input.request_id = waiting->poll.request_id;
        input.identity = waiting->poll.identity;
        input.task_queue = offer.queue.name;
        input.worker_version = waiting->poll.worker_version;
        starter_.start_workflow_task(offer, std::move(input),
                                     on_started<PolledWorkflowTask>(offer, waiting));
    }

    void start_activity(TaskOffer offer, const WaitingPollPtr& waiting) {
        history::StartActivityInput input;
        input.scheduled = offer.scheduled;
        input.stamp = offer.stamp;
        input.request_id = waiting->poll.request_id;
        input.identity = waiting->poll.identity;
        input.control_task_queue = waiting->poll.control_task_queue;
        starter_.start_activity(offer, std::move(input),
                                on_started<PolledActivityTask>(offer, waiting));
    }

    template <typename Task>
    Reply<Task> on_started(const TaskOffer& offer, const WaitingPollPtr& waiting) {
        return [this, offer, waiting](absl::StatusOr<Task> task) mutable {
            env::Closure finish = [this, offer = std::move(offer), waiting = std::move(waiting),
                                   task = std::move(task)]() mutable {
                finish_start(std::move(offer), waiting, std::move(task));
            };
            if (STELE_FAULT("matching.answer-late")) {
                executor_->run_at(env_.now() + std::chrono::milliseconds(300), std::move(finish));
            } else {
                executor_->post(std::move(finish));
            }
        };
    }

    /// The shard has answered: the task goes to the poll, or back, or is forgotten.
    template <typename Task>
    void finish_start(TaskOffer offer, const WaitingPollPtr& waiting, absl::StatusOr<Task> task) {
        TaskQueue& queue = queue_of(waiting->poll.queue);
        if (!task.ok()) {
            // NOT_FOUND means obsolete. Anything else passes: the task is tried again in a while.
            queue.limits.give_back(offer, queue.tasks.weight_of(offer));
            const bool obsolete = task.status().code() == absl::StatusCode::kNotFound;
            STELE_PROBE("matching.start-refused");
            if (!obsolete && !STELE_BUG("matching.refused-task-dropped"))
                retry_later(std::move(offer));
            return serve(queue, waiting);
        }
        if (is_gone(*waiting) || STELE_FAULT("matching.task-taken-back")) {
            STELE_PROBE("matching.task-taken-back");
            if (!STELE_BUG("matching.task-not-taken-back")) starter_.return_task(*task);
            return answer_empty(*waiting);
        }
        release(*waiting);
        queue.counters[offer.priority].dispatched.add(env_.now());
        task->poller_advice = advice_for(queue, *waiting);
        if constexpr (std::is_same_v<Task, PolledWorkflowTask>) {
            task->backlog_hint = backlog_hint(queue);
        }
        std::get<Reply<std::optional<Task>>>(waiting->reply)(std::optional<Task>(*std::move(task)));
    }

    /// What a worker is told of the tasks that still wait. Workers that hear of a backlog on their
    /// sticky queue poll nothing else until they hear that it is gone. What they hear last need not be
    /// what was said last, for answers overtake each other; then the normal queue would have no poll
    /// until the idle ones of the sticky queue expire. So they hear nothing of it and poll both.
    static std::int64_t backlog_hint(const TaskQueue& queue) {
        if (STELE_FAULT("matching.no-backlog-hint")) return 0;
        return queue.sticky ? 0 : static_cast<std::int64_t>(queue.tasks.size());
    }

    void retry_later(TaskOffer offer) {
        executor_->run_at(env_.now() + kRetryDelay, [this, offer = std::move(offer)]() mutable {
            add_task(std::move(offer), /*again=*/true);
        });
    }

    // ---- queries ---------------------------------------------------------------------------

    void add_query(QueryOffer offer, absl::AnyInvocable<void(absl::Status)> unmatched) {
        TaskQueue& queue = queue_of(offer.queue);
        if (draining_) return unmatched(unavailable("the server is shutting down"));
        if (STELE_FAULT("matching.query-refused")) return unmatched(unavailable("not now"));
        if (offer.sticky && !queue.is_alive(env_.now(), options_.sticky_unavailable_after)) {
            STELE_PROBE("matching.query-for-dead-queue");
            return unmatched(unavailable("no worker polls the sticky task queue"));
        }
        WaitingQuery& waiting = queue.queries.emplace_back();
        waiting.id = ++last_id_;
        waiting.offer = std::move(offer);
        waiting.unmatched = std::move(unmatched);
        waiting.deadline = executor_->run_at(
            waiting.offer.deadline,
            [this, id = queue.id, query = waiting.id] { expire_query(id, query); });
        serve_waiting(queue);
    }

    void expire_query(const QueueId& id, std::uint64_t query_id) {
        TaskQueue& queue = queue_of(id);
        for (auto query = queue.queries.begin(); query != queue.queries.end(); ++query) {
            if (query->id != query_id) continue;
            STELE_PROBE("matching.query-expired");
            auto unmatched = std::move(query->unmatched);
            queue.queries.erase(query);
            if (queue.is_alive(env_.now(), kNoPollerAfter)) {
                return unmatched(
                    deadline_exceeded("query timed out before a worker could process it"));
            }
            return unmatched(
                failed_precondition("no poller seen for task queue recently, worker may be down"));
        }
    }

    void start_query(TaskQueue& queue, const WaitingPollPtr& waiting) {
        WaitingQuery query = std::move(queue.queries.front());
        queue.queries.pop_front();
        executor_->cancel(query.deadline);
        const QueryOffer offer = query.offer;
        starter_.start_query(offer, [this, waiting, unmatched = std::move(query.unmatched)](
                                        absl::StatusOr<PolledWorkflowTask> task) mutable {
            executor_->post([this, waiting, unmatched = std::move(unmatched),
                             task = std::move(task)]() mutable {
                finish_query(waiting, std::move(unmatched), std::move(task));
            });
        });
    }

    void finish_query(const WaitingPollPtr& waiting,
                      absl::AnyInvocable<void(absl::Status)> unmatched,
                      absl::StatusOr<PolledWorkflowTask> task) {
        TaskQueue& queue = queue_of(waiting->poll.queue);
        if (!task.ok()) {
            unmatched(task.status());
            return serve(queue, waiting);
        }
        if (is_gone(*waiting)) {
            STELE_PROBE("matching.query-worker-gone");
            unmatched(unavailable("the worker went away before it received the query"));
            return answer_empty(*waiting);
        }
        release(*waiting);
        std::get<WorkflowReply>(waiting->reply)(std::optional(*std::move(task)));
    }

    // ---- queues ----------------------------------------------------------------------------

    TaskQueue& queue_of(const QueueId& id) {
        const auto [place, made] = queues_.try_emplace(id, id, options_.window);
        if (made) refresh_settings(place->second);
        return place->second;
    }

    /// Takes over what is set for the queue, if that has changed.
    void refresh_settings(TaskQueue& queue) {
        const std::uint64_t version = settings_.version();
        if (queue.settings_version == version) return;
        queue.settings_version = version;
        queue.settings = settings_.settings(queue.id);
        queue.config = settings_.config(queue.id);
        queue.tasks.share(queue.settings.fairness, queue.config.weights);
        apply_limits(queue);
    }

    void apply_limits(TaskQueue& queue) {
        queue.limits.apply(queue.settings, queue.config, queue.worker_rate, env_.now());
        // What was put off by the old limits may go earlier by the new ones.
        if (queue.limit_timer != 0) executor_->cancel(std::exchange(queue.limit_timer, 0));
    }

    void note_poller(TaskQueue& queue, const Poll& poll, Timestamp now) {
        refresh_settings(queue);
        std::optional<double> rate;
        if (poll.max_tasks_per_second >= 0) rate = poll.max_tasks_per_second;
        if (rate != queue.worker_rate) {
            queue.worker_rate = rate;
            apply_limits(queue);
        }
        queue.pollers[poll.identity] = {poll.identity, now, rate.value_or(queue.limits.rate()),
                                        poll.worker_version, poll.deployment};
    }

    std::int32_t advice_for(TaskQueue& queue, const WaitingPoll& waiting) {
        PollerSituation situation;
        situation.now = env_.now();
        situation.waited = situation.now - waiting.arrived;
        situation.pollers = queue.pollers.size();
        situation.backlog = queue.tasks.size();
        for (const auto& [priority, oldest] : queue.tasks.oldest()) {
            situation.backlog_age =
                std::max<Duration>(situation.backlog_age, situation.now - oldest);
        }
        for (const auto& [priority, counters] : queue.counters) {
            situation.added_per_second += counters.added.per_second(situation.now);
            situation.dispatched_per_second += counters.dispatched.per_second(situation.now);
        }
        return queue.scaling.advise(queue.settings, situation);
    }

    /// Its polls end, it is no longer shown, and polls that come late get nothing.
    void close_worker(const QueueId& id, const std::string& key) {
        if (gone_workers_.size() >= kGoneWorkers) gone_workers_.clear();
        gone_workers_[key] = env_.now();
        TaskQueue& queue = queue_of(id);
        for (auto poll = queue.polls.begin(); poll != queue.polls.end();) {
            const WaitingPollPtr waiting = *poll;
            const bool ends = waiting->poll.worker_instance_key == key;
            poll = ends ? queue.polls.erase(poll) : std::next(poll);
            if (!ends) continue;
            queue.pollers.erase(waiting->poll.identity);
            answer_empty(*waiting);
        }
    }

    /// Whether this is a sticky queue whose worker has gone.
    bool is_dead(const TaskQueue& queue) const {
        if (queue.sticky && STELE_FAULT("matching.sticky-queue-dead")) return true;
        return queue.sticky && !queue.is_alive(env_.now(), options_.sticky_unavailable_after);
    }

    /// Its time counts from now, or for as long as a poll is open.
    void note_poll(TaskQueue& queue, Timestamp now) {
        queue.last_poll = now;
        poll_times_.note(queue.id, queue.open_polls > 0 ? kNever : now);
    }

    void answer_all_empty(TaskQueue& queue) {
        for (const WaitingPollPtr& waiting : std::exchange(queue.polls, {})) answer_empty(*waiting);
        for (WaitingQuery& query : std::exchange(queue.queries, {})) {
            executor_->cancel(query.deadline);
            query.unmatched(unavailable("the worker or the server is shutting down"));
        }
    }

    /// Its worker has gone for good: tasks fall back to the normal queue without waiting.
    void close_queue(const QueueId& id) {
        TaskQueue& queue = queue_of(id);
        queue.closed = env_.now();
        answer_all_empty(queue);
        queue.last_poll = kUnset;
        poll_times_.forget(id);
        give_up_tasks(queue);
    }

    /// Also those that did not fit: they are offered once more, and given up as they come.
    void give_up_tasks(TaskQueue& queue) {
        while (auto task = queue.tasks.pop()) starter_.give_up_sticky(*task);
        refill_if_low(queue);
    }

    QueueDescription description_of(const QueueId& id) {
        QueueDescription result;
        const Timestamp now = env_.now();
        TaskQueue& queue = queue_of(id);
        refresh_settings(queue);
        forget_pollers(queue, now);
        for (const auto& [identity, poller] : queue.pollers) result.pollers.push_back(poller);
        for (const auto& [priority, counters] : queue.counters) {
            PriorityStats& stats = result.by_priority[priority];
            stats.added_per_second = counters.added.per_second(now);
            stats.dispatched_per_second = counters.dispatched.per_second(now);
        }
        for (const auto& [priority, oldest] : queue.tasks.oldest()) {
            result.by_priority[priority].oldest = oldest;
        }
        result.rate = queue.limits.rate();
        result.rate_source = queue.limits.source();
        result.rate_limiting = queue.held_back.per_second(now) > 0;
        return result;
    }

    static void forget_pollers(TaskQueue& queue, Timestamp now) {
        std::erase_if(queue.pollers, [&](const auto& poller) {
            return now - poller.second.last_access > queue.settings.poller_history;
        });
    }

    void schedule_sweep() {
        const Duration interval = STELE_FAULT("matching.early-sweep")
                                      ? Duration(std::chrono::seconds(1))
                                      : options_.sweep_interval;
        executor_->run_at(env_.now() + interval, [this] {
            sweep();
            schedule_sweep();
        });
    }

    /// Forgets pollers and queues that nobody has used for long, and sticky queues that died with
    /// tasks in them.
    void sweep() {
        const Timestamp now = env_.now();
        std::erase_if(gone_workers_,
                      [&](const auto& worker) { return now - worker.second > kGoneFor; });
        for (auto entry = queues_.begin(); entry != queues_.end();) {
            TaskQueue& queue = entry->second;
            refresh_settings(queue);
            forget_pollers(queue, now);
            if (is_dead(queue)) give_up_tasks(queue);
            const bool idle = queue.pollers.empty() && queue.open_polls == 0 &&
                              queue.tasks.empty() && queue.queries.empty() &&
                              queue.limit_timer == 0;
            STELE_PROBE_IF("matching.queue-forgotten", idle);
            if (idle) poll_times_.forget(entry->first);
            entry = idle ? queues_.erase(entry) : std::next(entry);
        }
    }

    env::Env& env_;
    shard::TaskStarter& starter_;
    const QueueSettingsSource& settings_;
    MatchingOptions options_;
    PollTimes poll_times_;
    shard::QueueMap<TaskQueue> queues_;
    std::map<std::string, Timestamp> gone_workers_;  // by instance key: when they said so
    std::uint64_t last_id_ = 0;
    bool draining_ = false;
    std::unique_ptr<env::Executor> executor_;  // last: destroyed first, so nothing runs on a ruin
};

}  // namespace

std::unique_ptr<Matching> make_matching(env::Env& env, shard::TaskStarter& starter,
                                        const QueueSettingsSource& settings,
                                        MatchingOptions options) {
    return std::make_unique<MatchingImpl>(env, starter, settings, options);
}

}  // namespace stele::matching
