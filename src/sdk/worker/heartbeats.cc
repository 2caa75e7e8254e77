#include "sdk/worker/heartbeats.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "sdk/data/convert.h"
#include "sdk/data/versioning.h"
#include "sdk/version.h"
#include "temporal/api/enums/v1/common.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sdk {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

namespace {

std::string host_name() {
    char name[256] = {};
    return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

}  // namespace

Heartbeats::Heartbeats(std::shared_ptr<const WorkerContext> context,
                       std::shared_ptr<Executor> executor, Describe describe)
    : context_(std::move(context)),
      executor_(std::move(executor)),
      describe_(std::move(describe)),
      resources_(read_system_resources()),
      started_(context_->client->runtime()->now()) {}

void Heartbeats::start() {
    if (context_->client->options().worker_heartbeat_interval.count() > 0) send();
}

void Heartbeats::stop() {
    stopped_ = true;
    timer_.reset();
}

Heartbeats::Message Heartbeats::last() { return make(enums::WORKER_STATUS_SHUTTING_DOWN); }

Heartbeats::Message Heartbeats::make(enums::WorkerStatus status) {
    const Runtime::Time now = context_->client->runtime()->now();
    Message message;
    message.set_worker_instance_key(context_->instance_key);
    message.set_worker_identity(context_->client->identity());
    message.set_task_queue(context_->task_queue);
    message.set_sdk_name(kSdkName);
    message.set_sdk_version(kSdkVersion);
    if (const auto& deployment = context_->options.deployment;
        deployment && deployment->use_versioning)
        *message.mutable_deployment_version() = to_message(deployment->version);
    message.set_status(status);
    *message.mutable_start_time() = to_timestamp(started_);
    *message.mutable_heartbeat_time() = to_timestamp(now);
    if (last_sent_)
        *message.mutable_elapsed_since_last_heartbeat() = to_duration(now - *last_sent_);
    last_sent_ = now;
    auto& host = *message.mutable_host_info();
    host.set_host_name(host_name());
    host.set_process_id(std::to_string(getpid()));
    const ResourceUse use = resources_();
    host.set_current_host_cpu_usage(static_cast<float>(use.cpu));
    host.set_current_host_mem_usage(static_cast<float>(use.memory));
    const WorkerMetrics& metrics = *context_->metrics;
    message.set_total_sticky_cache_hit(metrics.hits());
    message.set_total_sticky_cache_miss(metrics.misses());
    message.set_current_sticky_cache_size(metrics.cached());
    describe_(message);
    return message;
}

void Heartbeats::send() {
    auto request = std::make_shared<api::RecordWorkerHeartbeatRequest>();
    request->set_namespace_(context_->client->namespace_name());
    request->set_identity(context_->client->identity());
    *request->add_worker_heartbeat() = make(enums::WORKER_STATUS_RUNNING);
    // A late heartbeat is of no use: the next one tells more.
    RetrySettings once;
    once.total = Milliseconds(1);
    context_->client->rpc().call("RecordWorkerHeartbeat", request,
                                 std::make_shared<api::RecordWorkerHeartbeatResponse>(), once,
                                 [self = shared_from_this()](const Transport::Status& status) {
                                     if (status.code == kRpcUnimplemented) return;
                                     self->executor_->post([self] { self->schedule(); });
                                 });
}

void Heartbeats::schedule() {
    if (stopped_) return;
    timer_ = context_->client->runtime()->start_timer(
        context_->client->options().worker_heartbeat_interval, executor_,
        [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->send();
        });
}

void describe_slots(const Slots& slots, std::int64_t failed,
                    temporal::api::worker::v1::WorkerSlotsInfo& info) {
    info.set_current_used_slots(slots.used());
    if (const auto limit = slots.supplier().limit())
        info.set_current_available_slots(*limit - slots.used());
    info.set_slot_supplier_kind(slots.supplier().kind());
    info.set_total_processed_tasks(static_cast<std::int32_t>(slots.processed()));
    info.set_total_failed_tasks(static_cast<std::int32_t>(failed));
}

void describe_poller(const Poller& poller, temporal::api::worker::v1::WorkerPollerInfo& info) {
    info.set_current_pollers(poller.open_polls());
    info.set_is_autoscaling(poller.scales());
    if (const auto time = poller.last_answer())
        *info.mutable_last_successful_poll_time() = to_timestamp(*time);
}

}  // namespace stele::sdk
