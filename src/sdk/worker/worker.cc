#include "stele/worker.h"

#include <atomic>
#include <utility>

#include "sdk/worker/registry.h"
#include "sdk/worker/worker_core.h"

namespace stele {

namespace sdk {

/// What a Worker holds beyond its registrations.
struct WorkerState {
    std::shared_ptr<WorkerContext> context;
    std::shared_ptr<WorkerCore> core;
    /// Set by whoever stops first; the others wait for it.
    std::atomic<bool> stopping{false};
    std::shared_ptr<Runtime::Event> stop_requested;
    std::shared_ptr<Runtime::Event> stopped;
};

}  // namespace sdk

namespace {

void check_scaling(const char* name, const std::optional<PollerAutoscaling>& scaling) {
    if (!scaling) return;
    if (scaling->polls_min < 1 || scaling->polls_max < scaling->polls_min)
        throw ConfigurationError(std::string("the polls for ") + name +
                                 " must be at least one, and not fewer at most than at least");
}

void check(const WorkerDeployment& deployment) {
    if (deployment.version.deployment_name.empty() || deployment.version.build_id.empty())
        throw ConfigurationError("a worker's deployment needs a name and a build id");
    if (!deployment.use_versioning &&
        deployment.default_behavior != VersioningBehavior::kUnspecified)
        throw ConfigurationError(
            "a worker without versioning cannot have a default versioning behavior");
}

void check(const WorkerOptions& options) {
    if (options.activities_per_second < 0 || options.queue_activities_per_second < 0)
        throw ConfigurationError("a limit of activities per second cannot be negative");
    if (options.cached_runs_max < 0 || options.cached_bytes_max < 0)
        throw ConfigurationError("a limit of the cache cannot be negative");
    if (!options.tuner.activities && options.concurrent_activities_max < 1)
        throw ConfigurationError(
            "a worker needs room for an activity; "
            "set run_activities = false if it shall run none");
    if (options.deployment) check(*options.deployment);
    check_scaling("workflow tasks", options.workflow_poller_autoscaling);
    check_scaling("activities", options.activity_poller_autoscaling);
}

// The server refuses what a worker with versioning completes without a behavior.
void check_versioning(const std::optional<WorkerDeployment>& deployment,
                      const sdk::Registry& registry) {
    if (!deployment || !deployment->use_versioning ||
        deployment->default_behavior != VersioningBehavior::kUnspecified)
        return;
    for (const auto& [name, definition] : registry.workflows) {
        if (definition->versioning == VersioningBehavior::kUnspecified)
            throw ConfigurationError(
                "workflow type \"" + name +
                "\" needs a versioning behavior: register it with one, or give the worker's "
                "deployment a default");
    }
    if (registry.dynamic_workflow &&
        registry.dynamic_workflow->versioning == VersioningBehavior::kUnspecified)
        throw ConfigurationError(
            "the dynamic workflow needs a versioning behavior: register it with one, or give the "
            "worker's deployment a default");
}

}  // namespace

Worker::Worker(Client client, std::string task_queue, WorkerOptions options)
    : registry_(std::make_shared<sdk::Registry>()), state_(std::make_shared<sdk::WorkerState>()) {
    check(options);
    auto context = std::make_shared<sdk::WorkerContext>();
    context->client = client.core();
    context->options = options;
    context->instance_key = client.core()->new_uuid();
    context->sticky_queue = client.core()->identity() + ":" + context->instance_key;
    context->task_queue = std::move(task_queue);
    context->registry = registry_;
    context->metrics = std::make_shared<sdk::WorkerMetrics>(sdk::LabelledMeter(
        client.core()->options().meter,
        {{"namespace", client.core()->namespace_name()}, {"task_queue", context->task_queue}}));
    state_->context = std::move(context);
    state_->stop_requested = client.core()->runtime()->make_event();
    state_->stopped = client.core()->runtime()->make_event();
}

Worker::Worker(Worker&&) noexcept = default;

Worker::~Worker() {
    if (state_) stop();
}

void Worker::add(wf::detail::Definition definition) { registry_->add(std::move(definition)); }

void Worker::add(std::string name, detail::ActivityFunction activity) {
    if (!registry_->activities.emplace(name, std::move(activity)).second)
        throw IllegalCallError("activity \"" + name + "\" is registered twice");
}

void Worker::set_activity(std::string name, detail::ActivityFunction activity) {
    registry_->activities.insert_or_assign(std::move(name), std::move(activity));
}

void Worker::set_dynamic(wf::detail::Definition definition) {
    registry_->set_dynamic(std::move(definition));
}

void Worker::set_dynamic(detail::ActivityFunction activity) {
    if (registry_->dynamic_activity)
        throw IllegalCallError("a worker has one dynamic activity at most");
    registry_->dynamic_activity = std::move(activity);
}

void Worker::start() {
    if (state_->core) throw IllegalCallError("the worker has been started before");
    if (state_->context->options.run_workflows)
        check_versioning(state_->context->options.deployment, *registry_);
    state_->core = std::make_shared<sdk::WorkerCore>(state_->context);
    state_->core->start();
}

void Worker::stop() {
    if (!state_->core) return;
    if (!state_->stopping.exchange(true)) {
        state_->stop_requested->set();
        state_->core->stop([stopped = state_->stopped] { stopped->set(); });
    }
    state_->stopped->wait();
}

void Worker::run() {
    start();
    state_->stop_requested->wait();
    state_->stopped->wait();
}

}  // namespace stele
