#include "sdk/worker/worker_core.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "sdk/data/versioning.h"

namespace stele::sdk {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

namespace {

// Runs are spread over a few queues, so that several threads can work at a time.
constexpr int kShards = 4;
// The normal and the sticky queue: with fewer slots one of them would never be polled.
constexpr int kWorkflowQueues = 2;

std::shared_ptr<Slots> make_slots(const WorkerContext& context, const char* worker_type,
                                  std::shared_ptr<SlotSupplier> supplier, int fixed) {
    if (!supplier) supplier = make_fixed_slots(fixed);
    return std::make_shared<Slots>(std::move(supplier), context.client->runtime(),
                                   context.metrics->meter().with("worker_type", worker_type));
}

PollTarget poll_target(const std::optional<PollerAutoscaling>& scaling, int fixed) {
    return scaling ? PollTarget(*scaling) : PollTarget(fixed);
}

template <class Reply>
PollReply read_reply(const Reply& reply, const OptionalCounter& with_task,
                     const OptionalCounter& empty) {
    PollReply result;
    result.has_task = !reply.task_token().empty();
    if (reply.has_poller_scaling_decision())
        result.scaling_advice = reply.poller_scaling_decision().poll_request_delta_suggestion();
    (result.has_task ? with_task : empty).add();
    return result;
}

}  // namespace

/// Slots that starts have taken for first tasks which have not come yet. Safe to use from any thread.
class WorkerCore::FirstTasks final : public EagerWorker {
public:
    explicit FirstTasks(WorkerCore& worker)
        : slots_(worker.workflow_slots_),
          executor_(worker.executor_),
          deployment_(worker.context_->options.deployment),
          worker_(worker.weak_from_this()) {}

    bool take_slot() override {
        if (stopping_) return false;
        // Before the second look, so that a worker which stops in between waits for this.
        ++open_;
        if (!stopping_ && slots_->try_take()) return true;
        end([](WorkerCore&) {});
        return false;
    }
    void give_back() override {
        slots_->give_back();
        end([](WorkerCore& worker) { worker.fill_workflow_pollers(); });
    }
    void run(std::shared_ptr<Task> task) override {
        end([task = std::move(task)](WorkerCore& worker) { worker.run_workflow_task(task); });
    }
    void describe(Start& start) const override {
        if (deployment_)
            *start.mutable_eager_worker_deployment_options() = to_message(*deployment_);
    }

    /// No more slots are taken.
    void stop() { stopping_ = true; }
    /// Whether no slot is taken.
    bool idle() const { return open_ == 0; }

private:
    /// The slot counts as open until the worker has seen how it ended.
    template <class Then>
    void end(Then then) {
        auto worker = worker_.lock();
        if (!worker) return;  // abandoned
        executor_->post([this, worker, then = std::move(then)] {
            then(*worker);
            --open_;
            worker->check_stopped();
        });
    }

    const std::shared_ptr<Slots> slots_;
    const std::shared_ptr<Executor> executor_;
    const std::optional<WorkerDeployment> deployment_;
    const std::weak_ptr<WorkerCore> worker_;
    std::atomic<int> open_ = 0;
    std::atomic<bool> stopping_ = false;
};

WorkerCore::WorkerCore(std::shared_ptr<const WorkerContext> context)
    : context_(std::move(context)),
      executor_(context_->client->runtime()->make_executor()),
      workflow_slots_(
          make_slots(*context_, "WorkflowWorker", context_->options.tuner.workflow_tasks,
                     std::max(context_->options.concurrent_workflow_tasks_max, kWorkflowQueues))),
      activity_slots_(make_slots(*context_, "ActivityWorker", context_->options.tuner.activities,
                                 std::max(context_->options.concurrent_activities_max, 1))),
      activity_instruments_(context_->metrics->meter(), "activity_type") {
    const int cached = context_->options.cached_runs_max;
    const int share = cached == 0 ? 0 : std::max(1, cached / kShards);
    for (int i = 0; i < kShards; ++i)
        shards_.push_back(std::make_shared<RunShard>(
            context_, RunShard::CacheLimits{
                          share, context_->options.cached_bytes_max == 0
                                     ? 0
                                     : std::max<std::int64_t>(
                                           1, context_->options.cached_bytes_max / kShards)}));
}

void WorkerCore::start() {
    context_->metrics->started.add();
    const bool runs_workflows =
        context_->options.run_workflows && context_->registry->has_workflows();
    if (runs_workflows) first_tasks_ = std::make_shared<FirstTasks>(*this);
    executor_->post([self = shared_from_this(), runs_workflows] {
        if (runs_workflows) self->start_workflow_pollers();
        if (self->context_->options.run_activities && self->context_->registry->has_activities())
            self->start_activity_poller();
        self->heartbeats_ = std::make_shared<Heartbeats>(
            self->context_, self->executor_,
            [weak = self->weak_from_this()](Heartbeats::Message& message) {
                if (const auto locked = weak.lock()) locked->describe(message);
            });
        self->heartbeats_->start();
    });
    // A start may ask for a slot from here on.
    if (runs_workflows) context_->client->eager_workers().add(context_->task_queue, first_tasks_);
}

void WorkerCore::describe(Heartbeats::Message& message) const {
    const WorkerMetrics& metrics = *context_->metrics;
    if (!workflow_pollers_.empty()) {
        describe_slots(*workflow_slots_, metrics.failed_workflow_tasks(),
                       *message.mutable_workflow_task_slots_info());
        describe_poller(*workflow_pollers_.front(), *message.mutable_workflow_poller_info());
        if (workflow_pollers_.size() > 1)
            describe_poller(*workflow_pollers_.back(),
                            *message.mutable_workflow_sticky_poller_info());
    }
    if (activity_poller_) {
        describe_slots(*activity_slots_, metrics.failed_activities(),
                       *message.mutable_activity_task_slots_info());
        describe_poller(*activity_poller_, *message.mutable_activity_poller_info());
    }
}

// Under a rate limit all tasks have to pass through it.
void WorkerCore::allow_eager_activities() {
    const WorkerOptions& options = context_->options;
    if (!options.eager_activities || options.queue_activities_per_second > 0 ||
        options.activities_per_second > 0)
        return;
    const auto weak = weak_from_this();
    auto eager = std::make_shared<const EagerActivities>(
        context_->task_queue, activity_slots_,
        [weak, executor = executor_](std::shared_ptr<ActivityAttempt::Task> task) {
            executor->post([weak, task] {
                if (const auto self = weak.lock()) self->on_activity_task(task);
            });
        },
        [weak, executor = executor_] {
            executor->post([weak] {
                const auto self = weak.lock();
                if (self && self->activity_poller_) self->activity_poller_->fill();
            });
        });
    for (const auto& shard : shards_) shard->set_eager_activities(eager);
}

std::shared_ptr<Poller> WorkerCore::make_workflow_poller(bool sticky) {
    auto request = std::make_shared<api::PollWorkflowTaskQueueRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_identity(context_->client->identity());
    request->set_worker_instance_key(context_->instance_key);
    auto& queue = *request->mutable_task_queue();
    queue.set_name(sticky ? context_->sticky_queue : context_->task_queue);
    queue.set_kind(sticky ? enums::TASK_QUEUE_KIND_STICKY : enums::TASK_QUEUE_KIND_NORMAL);
    if (sticky) queue.set_normal_name(context_->task_queue);
    tell_deployment(context_->options.deployment, *request);
    return std::make_shared<Poller>(
        context_, executor_, "PollWorkflowTaskQueue", std::move(request),
        [] { return std::make_shared<RunShard::Task>(); },
        [self = shared_from_this()](const Rpc::MessagePointer& reply) {
            return self->on_workflow_reply(std::static_pointer_cast<RunShard::Task>(reply));
        },
        [self = shared_from_this()] { self->check_stopped(); });
}

void WorkerCore::start_workflow_pollers() {
    workflow_pollers_.push_back(make_workflow_poller(false));
    if (context_->options.cached_runs_max > 0)
        workflow_pollers_.push_back(make_workflow_poller(true));
    if (workflow_pollers_.size() == 2) Poller::share(workflow_pollers_[0], workflow_pollers_[1]);
    const WorkerOptions& options = context_->options;
    const PollTarget target =
        poll_target(options.workflow_poller_autoscaling, options.workflow_pollers);
    for (const auto& poller : workflow_pollers_)
        poller->start(target, workflow_slots_,
                      poller_gauge(poller == workflow_pollers_.front() ? "workflow_task"
                                                                       : "sticky_workflow_task"));
}

OptionalGauge WorkerCore::poller_gauge(const char* type) const {
    return context_->metrics->meter().with("poller_type", type).gauge("num_pollers");
}

void WorkerCore::start_activity_poller() {
    auto request = std::make_shared<api::PollActivityTaskQueueRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_identity(context_->client->identity());
    request->set_worker_instance_key(context_->instance_key);
    request->mutable_task_queue()->set_name(context_->task_queue);
    request->mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    if (const double limit = context_->options.queue_activities_per_second; limit > 0)
        request->mutable_task_queue_metadata()->mutable_max_tasks_per_second()->set_value(limit);
    tell_deployment(context_->options.deployment, *request);
    activity_poller_ = std::make_shared<Poller>(
        context_, executor_, "PollActivityTaskQueue", std::move(request),
        [] { return std::make_shared<ActivityAttempt::Task>(); },
        [self = shared_from_this()](const Rpc::MessagePointer& reply) {
            return self->on_activity_reply(std::static_pointer_cast<ActivityAttempt::Task>(reply));
        },
        [self = shared_from_this()] { self->check_stopped(); });
    allow_eager_activities();
    const WorkerOptions& options = context_->options;
    std::optional<RateLimit> limit;
    if (options.activities_per_second > 0)
        limit.emplace(options.activities_per_second, context_->client->runtime()->now());
    activity_poller_->start(
        poll_target(options.activity_poller_autoscaling, options.activity_pollers), activity_slots_,
        poller_gauge("activity_task"), limit);
}

RunShard& WorkerCore::shard_of(const std::string& run_id) {
    return *shards_[std::hash<std::string>{}(run_id) % shards_.size()];
}

PollReply WorkerCore::on_workflow_reply(const RunShard::TaskPointer& task) {
    const WorkerMetrics& metrics = *context_->metrics;
    const PollReply reply =
        read_reply(*task, metrics.workflow_polls_with_task, metrics.workflow_polls_empty);
    if (reply.has_task) run_workflow_task(task);
    return reply;
}

void WorkerCore::run_workflow_task(const RunShard::TaskPointer& task) {
    ++workflow_tasks_;
    workflow_slots_->begin_task();
    shard_of(task->workflow_execution().run_id()).post(task, [self = shared_from_this()] {
        self->executor_->post([self] { self->task_finished(); });
    });
}

void WorkerCore::task_finished() {
    --workflow_tasks_;
    workflow_slots_->end_task();
    fill_workflow_pollers();
    check_stopped();
}

void WorkerCore::fill_workflow_pollers() {
    for (const auto& poller : workflow_pollers_) poller->fill();
}

PollReply WorkerCore::on_activity_reply(std::shared_ptr<ActivityAttempt::Task> task) {
    const WorkerMetrics& metrics = *context_->metrics;
    const PollReply reply =
        read_reply(*task, metrics.activity_polls_with_task, metrics.activity_polls_empty);
    if (!reply.has_task) return reply;
    activity_slots_->begin_task();
    on_activity_task(std::move(task));
    return reply;
}

void WorkerCore::on_activity_task(std::shared_ptr<ActivityAttempt::Task> task) {
    const std::uint64_t number = ++last_activity_;
    const ActivityInstruments& instruments = activity_instruments_.of(task->activity_type().name());
    auto attempt = std::make_shared<ActivityAttempt>(
        context_, executor_, std::move(task), instruments,
        [self = shared_from_this(), number] { self->activity_finished(number); });
    activities_[number] = attempt;
    attempt->start();
}

void WorkerCore::activity_finished(std::uint64_t number) {
    if (activities_.erase(number) == 0) return;
    activity_slots_->end_task();
    activity_poller_->fill();
    check_stopped();
}

void WorkerCore::stop(std::function<void()> stopped) {
    executor_->post([self = shared_from_this(), stopped = std::move(stopped)]() mutable {
        self->stopping_ = true;
        self->stopped_ = std::move(stopped);
        if (self->first_tasks_) self->first_tasks_->stop();
        for (const auto& poller : self->workflow_pollers_) poller->stop();
        if (self->activity_poller_) self->activity_poller_->stop();
        self->heartbeats_->stop();
        self->send_shutdown();
        self->cancel_activities();
    });
}

// Tells the server that the sticky queue is gone, so that runs go to other workers at once. Only then
// the open polls are cancelled: until then they may still bring tasks, which are dealt with.
void WorkerCore::send_shutdown() {
    auto request = std::make_shared<api::ShutdownWorkerRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_sticky_task_queue(context_->sticky_queue);
    request->set_identity(context_->client->identity());
    request->set_worker_instance_key(context_->instance_key);
    request->set_task_queue(context_->task_queue);
    request->set_reason("graceful stop");
    if (context_->client->options().worker_heartbeat_interval.count() > 0)
        *request->mutable_worker_heartbeat() = heartbeats_->last();
    RetrySettings settings;
    settings.total = Milliseconds(2'000);
    settings.attempt_timeout = Milliseconds(2'000);
    context_->client->rpc().call("ShutdownWorker", request,
                                 std::make_shared<api::ShutdownWorkerResponse>(), settings,
                                 [self = shared_from_this()](const Transport::Status&) {
                                     self->executor_->post([self] {
                                         self->shutdown_sent_ = true;
                                         self->cancel_polls();
                                         self->check_stopped();
                                     });
                                 });
}

void WorkerCore::cancel_polls() {
    for (const auto& poller : workflow_pollers_) poller->cancel_open();
    if (activity_poller_) activity_poller_->cancel_open();
}

void WorkerCore::cancel_activities() {
    const auto cancel_all = [self = shared_from_this()] {
        for (const auto& [number, attempt] : self->activities_)
            attempt->stop(activity::StopReason::kWorkerStops);
        for (const auto& shard : self->shards_) shard->stop_local_activities();
    };
    if (context_->options.graceful_stop.count() <= 0)
        cancel_all();
    else
        grace_ = context_->client->runtime()->start_timer(context_->options.graceful_stop,
                                                          executor_, cancel_all);
}

// A cancelled poll is history here before the server knows. An answer on the same connection that
// comes after the cancellations shows that it knows: from now on it gives us nothing more.
void WorkerCore::flush_cancellations() {
    if (std::exchange(flush_sent_, true)) return;
    RetrySettings once;
    once.total = Milliseconds(1);
    once.attempt_timeout = Milliseconds(1'000);
    context_->client->rpc().call("GetSystemInfo", std::make_shared<api::GetSystemInfoRequest>(),
                                 std::make_shared<api::GetSystemInfoResponse>(), once,
                                 [self = shared_from_this()](const Transport::Status&) {
                                     self->executor_->post([self] {
                                         self->flushed_ = true;
                                         self->check_stopped();
                                     });
                                 });
}

void WorkerCore::abandon() {
    workflow_pollers_.clear();
    activity_poller_.reset();
    activities_.clear();
    for (const auto& shard : shards_) shard->abandon();
}

bool WorkerCore::polls_idle() const {
    for (const auto& poller : workflow_pollers_)
        if (!poller->idle()) return false;
    return !activity_poller_ || activity_poller_->idle();
}

void WorkerCore::check_stopped() {
    if (!stopping_ || !shutdown_sent_ || !stopped_ || !polls_idle()) return;
    flush_cancellations();
    if (!flushed_ || workflow_tasks_ > 0 || !activities_.empty()) return;
    if (first_tasks_ && !first_tasks_->idle()) return;
    grace_.reset();
    // The pollers hold this object through their callbacks.
    workflow_pollers_.clear();
    activity_poller_.reset();
    for (const auto& shard : shards_) shard->clear();
    const auto stopped = std::exchange(stopped_, nullptr);
    stopped();
}

}  // namespace stele::sdk
