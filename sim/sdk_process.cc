#include "sim/sdk_process.h"

#include "sdk/client/client_core.h"
#include "sdk/worker/registry.h"
#include "sdk/worker/worker_core.h"
#include "sim/sdk_workflows.h"

#include <optional>
#include <utility>

namespace stele::sim {
namespace {

WorkerOptions worker_options(const SdkProcess::Settings& settings) {
    WorkerOptions options;
    options.cached_runs_max = settings.cached_runs;
    options.concurrent_workflow_tasks_max = settings.task_slots;
    options.concurrent_activities_max = settings.activity_slots;
    options.eager_activities = settings.eager_activities;
    options.sticky_schedule_to_start = Milliseconds(2'000);
    options.graceful_stop = Milliseconds(settings.stops_at_once ? 0 : 1'000);
    return options;
}

std::shared_ptr<const sdk::Registry> make_registry(const SdkProcess::Settings& settings) {
    auto registry = std::make_shared<sdk::Registry>();
    register_sdk_workflows(*registry);
    for (const auto& [name, function] : settings.activities) {
        registry->activities[name] =
            [called = function](const Payloads& input) -> std::optional<Payload> {
            return encode_value(called(decode_argument<int>(input, 0)));
        };
    }
    return registry;
}

}  // namespace

/// As the constructor of stele::Worker puts it together, which waits for the end in its destructor.
SdkProcess::SdkProcess(std::shared_ptr<Runtime> runtime, std::shared_ptr<Transport> transport,
                       const Settings& settings) {
    ClientOptions client;
    client.namespace_name = settings.namespace_name;
    client.identity = settings.identity;
    client.logger = {};
    // They tell of this machine's load, which is another one each time.
    client.worker_heartbeat_interval = Milliseconds(0);
    client.runtime = std::move(runtime);
    client.transport = std::move(transport);
    auto context = std::make_shared<sdk::WorkerContext>();
    context->client = std::make_shared<sdk::ClientCore>(std::move(client));
    context->registry = make_registry(settings);
    context->options = worker_options(settings);
    context->task_queue = settings.task_queue;
    context->instance_key = context->client->new_uuid();
    context->sticky_queue = settings.identity + ":" + context->instance_key;
    context->metrics = std::make_shared<sdk::WorkerMetrics>(sdk::LabelledMeter({}, {}));
    worker_ = std::make_shared<sdk::WorkerCore>(std::move(context));
}

SdkProcess::~SdkProcess() = default;

void SdkProcess::start() { worker_->start(); }

void SdkProcess::stop(std::function<void()> stopped) { worker_->stop(std::move(stopped)); }

bool SdkProcess::abandon() {
    worker_->abandon();
    return std::exchange(worker_, nullptr).use_count() == 1;
}

}  // namespace stele::sim
