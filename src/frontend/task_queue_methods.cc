#include "frontend/services.h"
#include "frontend/task_queue_configs.h"
#include "frontend/task_queue_names.h"
#include "frontend/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

// Task queues as operators see them: pollers, backlog and rates; and what they may set for one.
namespace stele::frontend {
namespace {

namespace enums = api::enums::v1;
using api::taskqueue::v1::RateLimitConfig;
using api::taskqueue::v1::TaskQueueStats;
using DescribeRequest = service::DescribeTaskQueueRequest;
using DescribeResponse = service::DescribeTaskQueueResponse;
using ConfigRequest = service::UpdateTaskQueueConfigRequest;
using ConfigResponse = service::UpdateTaskQueueConfigResponse;

constexpr std::size_t kMaximumReasonBytes = 1000;
constexpr std::size_t kMaximumFairnessKeyBytes = 64;

// ---- Describing --------------------------------------------------------------------------------

/// What is known of one queue: half of it by matching, half by the shards.
struct QueueState {
    matching::QueueDescription description;
    shard::QueueBacklog backlog;
};

void fetch(Services& services, const shard::QueueId& queue, Reply<QueueState> reply) {
    if (queue.kind == shard::QueueKind::kNexus) {
        return services.nexus_tasks.pollers(
            queue, [reply = std::move(reply)](
                       absl::StatusOr<std::vector<matching::PollerInfo>> pollers) mutable {
                if (!pollers.ok()) return reply(std::move(pollers).status());
                QueueState state;
                state.description.pollers = *std::move(pollers);
                reply(std::move(state));
            });
    }
    services.matching.describe(
        queue, [&services, queue, reply = std::move(reply)](
                   absl::StatusOr<matching::QueueDescription> description) mutable {
            if (!description.ok()) return reply(std::move(description).status());
            services.engine.count_backlog(
                queue, [description = *std::move(description), reply = std::move(reply)](
                           absl::StatusOr<shard::QueueBacklog> backlog) mutable {
                    if (!backlog.ok()) return reply(std::move(backlog).status());
                    reply(QueueState{std::move(description), *std::move(backlog)});
                });
        });
}

TaskQueueStats stats_of(const QueueState& state, std::int32_t priority, Timestamp now) {
    TaskQueueStats stats;
    const auto count = state.backlog.find(priority);
    if (count != state.backlog.end()) stats.set_approximate_backlog_count(count->second);
    stats.mutable_approximate_backlog_age();
    stats.set_rate_limiting_active(state.description.rate_limiting);
    const auto known = state.description.by_priority.find(priority);
    if (known == state.description.by_priority.end()) return stats;
    // A task on its way to a worker is not old because it is the only one.
    if (stats.approximate_backlog_count() > 0 && known->second.oldest < now) {
        *stats.mutable_approximate_backlog_age() = to_proto(now - known->second.oldest);
    }
    stats.set_tasks_add_rate(static_cast<float>(known->second.added_per_second));
    stats.set_tasks_dispatch_rate(static_cast<float>(known->second.dispatched_per_second));
    return stats;
}

using StatsByPriority = std::map<std::int32_t, TaskQueueStats>;

StatsByPriority stats_by_priority(const QueueState& state, Timestamp now) {
    StatsByPriority result;
    // The default priority is shown even of a queue that has never seen a task.
    result[history::kDefaultPriority] = stats_of(state, history::kDefaultPriority, now);
    for (const auto& [priority, count] : state.backlog) {
        result[priority] = stats_of(state, priority, now);
    }
    for (const auto& [priority, known] : state.description.by_priority) {
        result[priority] = stats_of(state, priority, now);
    }
    return result;
}

TaskQueueStats sum_of(const StatsByPriority& parts) {
    TaskQueueStats sum;
    Duration age{};
    for (const auto& [priority, part] : parts) {
        sum.set_approximate_backlog_count(sum.approximate_backlog_count() +
                                          part.approximate_backlog_count());
        age = std::max(age, from_proto(part.approximate_backlog_age()));
        sum.set_tasks_add_rate(sum.tasks_add_rate() + part.tasks_add_rate());
        sum.set_tasks_dispatch_rate(sum.tasks_dispatch_rate() + part.tasks_dispatch_rate());
        sum.set_rate_limiting_active(sum.rate_limiting_active() || part.rate_limiting_active());
    }
    *sum.mutable_approximate_backlog_age() = to_proto(age);
    return sum;
}

api::taskqueue::v1::PollerInfo poller_info(const matching::PollerInfo& poller) {
    api::taskqueue::v1::PollerInfo info;
    info.set_identity(poller.identity);
    *info.mutable_last_access_time() = to_proto(poller.last_access);
    info.set_rate_per_second(poller.rate_per_second);
    if (poller.worker_version.ByteSizeLong() > 0) {
        *info.mutable_worker_version_capabilities() = poller.worker_version;
    }
    if (poller.deployment.ByteSizeLong() > 0) {
        *info.mutable_deployment_options() = poller.deployment;
    }
    return info;
}

/// The answer about one queue of one type.
DescribeResponse plain_description(const DescribeRequest& request, const QueueState& state,
                                   const TaskQueueConfig& config, Timestamp now) {
    DescribeResponse response;
    for (const matching::PollerInfo& poller : state.description.pollers) {
        *response.add_pollers() = poller_info(poller);
    }
    if (request.task_queue().kind() == enums::TASK_QUEUE_KIND_NORMAL) {
        // Without worker deployments every task is for every worker.
        auto& versioning = *response.mutable_versioning_info();
        versioning.set_current_version("__unversioned__");
        versioning.mutable_update_time();
    }
    const StatsByPriority stats = stats_by_priority(state, now);
    if (request.report_stats()) {
        *response.mutable_stats() = sum_of(stats);
        response.mutable_stats_by_priority_key()->insert(stats.begin(), stats.end());
    }
    if (request.report_config() && config.ByteSizeLong() > 0) *response.mutable_config() = config;
    auto& limit = *response.mutable_effective_rate_limit();
    limit.set_requests_per_second(static_cast<float>(state.description.rate));
    limit.set_rate_limit_source(state.description.rate_source);
    if (request.include_task_queue_status()) {
        auto& status = *response.mutable_task_queue_status();
        status.set_backlog_count_hint(sum_of(stats).approximate_backlog_count());
        status.set_rate_per_second(state.description.rate);
        status.mutable_task_id_block();
    }
    return response;
}

void describe_plain(Services& services, const AuthorizedNamespace& space, DescribeRequest request,
                    const PartitionName& name, Timestamp now, Reply<DescribeResponse> reply) {
    if (request.task_queue_type() == enums::TASK_QUEUE_TYPE_UNSPECIFIED) {
        request.set_task_queue_type(enums::TASK_QUEUE_TYPE_WORKFLOW);
    }
    if (request.report_stats() && name.partition != 0) {
        return reply(
            invalid_argument("DescribeTaskQueue stats are only supported for the root partition"));
    }
    const shard::QueueId queue{space->id, name.queue,
                               static_cast<shard::QueueKind>(request.task_queue_type())};
    TaskQueueConfig config = services.task_queue_configs.find(
        store::TaskQueueKey{queue.namespace_id, queue.name, request.task_queue_type()});
    fetch(services, queue,
          [request = std::move(request), config = std::move(config), now,
           is_first = name.partition == 0,
           reply = std::move(reply)](absl::StatusOr<QueueState> state) mutable {
              if (!state.ok()) return reply(std::move(state).status());
              // All partitions are one, which is described under the name of the first.
              QueueState other;
              other.description.rate = state->description.rate;
              other.description.rate_source = state->description.rate_source;
              reply(plain_description(request, is_first ? *state : other, config, now));
          });
}

/// The older form of the answer, which tells several types at once, by build id. There are no
/// versions, so all of it stands under the empty one. Holds itself alive until it has replied.
class EnhancedDescription : public std::enable_shared_from_this<EnhancedDescription> {
public:
    EnhancedDescription(Services& services, shard::QueueId queue, DescribeRequest request,
                        Timestamp now, Reply<DescribeResponse> reply)
        : services_(services),
          queue_(std::move(queue)),
          request_(std::move(request)),
          now_(now),
          reply_(std::move(reply)) {
        if (!request_.task_queue_types().empty()) return;
        request_.add_task_queue_types(enums::TASK_QUEUE_TYPE_WORKFLOW);
        request_.add_task_queue_types(enums::TASK_QUEUE_TYPE_ACTIVITY);
    }

    void run() { describe_from(0); }

private:
    void describe_from(int index) {
        if (index == request_.task_queue_types_size()) return reply_(std::move(response_));
        queue_.kind = static_cast<shard::QueueKind>(request_.task_queue_types(index));
        fetch(services_, queue_,
              [self = shared_from_this(), index](absl::StatusOr<QueueState> state) {
                  if (!state.ok()) return self->reply_(std::move(state).status());
                  self->add(self->request_.task_queue_types(index), *state);
                  self->describe_from(index + 1);
              });
    }

    void add(enums::TaskQueueType type, const QueueState& state) {
        auto& info = (*(*response_.mutable_versions_info())[""].mutable_types_info())[type];
        if (request_.report_pollers()) {
            for (const matching::PollerInfo& poller : state.description.pollers) {
                *info.add_pollers() = poller_info(poller);
            }
        }
        if (request_.report_stats()) *info.mutable_stats() = sum_of(stats_by_priority(state, now_));
    }

    Services& services_;
    shard::QueueId queue_;
    DescribeRequest request_;
    Timestamp now_;
    Reply<DescribeResponse> reply_;
    DescribeResponse response_;
};

void describe_enhanced(Services& services, const AuthorizedNamespace& space,
                       DescribeRequest request, const PartitionName& name, Timestamp now,
                       Reply<DescribeResponse> reply) {
    if (request.task_queue().kind() == enums::TASK_QUEUE_KIND_STICKY) {
        return reply(invalid_argument(
            "Enhanced DescribeTaskQueue is not valid for a sticky queue, use api_mode=UNSPECIFIED "
            "or a normal queue."));
    }
    if (request.report_task_reachability() || request.versions().build_ids_size() > 0) {
        return reply(
            unimplemented("Versions of a task queue are not supported by this server yet."));
    }
    std::make_shared<EnhancedDescription>(
        services, shard::QueueId{space->id, name.queue, shard::QueueKind::kWorkflow},
        std::move(request), now, std::move(reply))
        ->run();
}

void describe(Services& services, Timestamp now, const AuthorizedNamespace& space,
              DescribeRequest request, Reply<DescribeResponse> reply) {
    const bool enhanced = request.api_mode() == enums::DESCRIBE_TASK_QUEUE_MODE_ENHANCED;
    const auto name = enhanced ? validate_queue(request) : validate_partition(request);
    if (!name.ok()) return reply(name.status());
    if (enhanced) {
        return describe_enhanced(services, space, std::move(request), *name, now, std::move(reply));
    }
    describe_plain(services, space, std::move(request), *name, now, std::move(reply));
}

// ---- Setting -----------------------------------------------------------------------------------

absl::Status validate_rate_limit(bool set, const ConfigRequest::RateLimitUpdate& update,
                                 enums::TaskQueueType type, const char* what, const char* field) {
    if (!set || !update.has_rate_limit()) return absl::OkStatus();
    if (type == enums::TASK_QUEUE_TYPE_WORKFLOW) {
        return invalid_argument(
            fmt::format("Setting {} on workflow task queues is not allowed.", what));
    }
    if (update.rate_limit().requests_per_second() < 0) {
        return invalid_argument(
            fmt::format("RequestsPerSecond for {} rate limit must be non-negative.", field));
    }
    if (update.reason().size() > kMaximumReasonBytes) {
        return invalid_argument(fmt::format("{}.Reason field too long (max {} characters).", field,
                                            kMaximumReasonBytes));
    }
    return absl::OkStatus();
}

absl::Status validate_fairness_key(const std::string& key) {
    if (key.empty()) return invalid_argument("fairness weight override key must not be empty");
    if (key.size() > kMaximumFairnessKeyBytes) {
        return invalid_argument("fairness key length exceeds limit");
    }
    return absl::OkStatus();
}

absl::Status validate_weights(const ConfigRequest& request, std::size_t limit) {
    const auto& set = request.set_fairness_weight_overrides();
    const auto& unset = request.unset_fairness_weight_overrides();
    const std::size_t total = set.size() + static_cast<std::size_t>(unset.size());
    if (total > limit) {
        return invalid_argument(fmt::format(
            "too many fairness weight overrides in request: got {}, maximum {}", total, limit));
    }
    for (const auto& [key, weight] : set) {
        STELE_RETURN_IF_ERROR(validate_fairness_key(key));
        if (!(weight > 0)) {
            return invalid_argument(fmt::format(
                "invalid fairness weight weight for key \"{}\": must be greater than zero", key));
        }
    }
    for (const std::string& key : unset) {
        STELE_RETURN_IF_ERROR(validate_fairness_key(key));
        if (set.contains(key)) {
            return invalid_argument(fmt::format(
                "fairness weight override key \"{}\" present in both set and unset lists", key));
        }
    }
    return absl::OkStatus();
}

absl::Status validate_config(const ConfigRequest& request, const history::Limits& limits,
                             std::size_t weight_overrides) {
    STELE_RETURN_IF_ERROR(validate_rate_limit(
        request.has_update_queue_rate_limit(), request.update_queue_rate_limit(),
        request.task_queue_type(), "rate limit", "UpdateQueueRateLimit"));
    STELE_RETURN_IF_ERROR(validate_rate_limit(request.has_update_fairness_key_rate_limit_default(),
                                              request.update_fairness_key_rate_limit_default(),
                                              request.task_queue_type(), "fairness key rate limit",
                                              "UpdateFairnessKeyRateLimitDefault"));
    if (request.identity().size() > limits.id_length) {
        return invalid_argument(
            fmt::format("Identity field too long (max {} characters).", limits.id_length));
    }
    STELE_RETURN_IF_ERROR(validate_weights(request, weight_overrides));
    if (request.task_queue().empty()) return invalid_argument("missing task queue name");
    if (request.task_queue().size() > limits.id_length) {
        return invalid_argument("taskQueue length exceeds limit");
    }
    return absl::OkStatus();
}

RateLimitConfig rate_limit_config(const ConfigRequest::RateLimitUpdate& update,
                                  const std::string& identity, Timestamp now) {
    RateLimitConfig config;
    if (update.has_rate_limit()) *config.mutable_rate_limit() = update.rate_limit();
    config.mutable_metadata()->set_reason(update.reason());
    config.mutable_metadata()->set_update_identity(identity);
    *config.mutable_metadata()->mutable_update_time() = to_proto(now);
    return config;
}

absl::Status change_config(TaskQueueConfig& config, const ConfigRequest& request,
                           std::size_t weight_overrides, Timestamp now) {
    if (request.has_update_queue_rate_limit()) {
        *config.mutable_queue_rate_limit() =
            rate_limit_config(request.update_queue_rate_limit(), request.identity(), now);
    }
    if (request.has_update_fairness_key_rate_limit_default()) {
        *config.mutable_fairness_keys_rate_limit_default() = rate_limit_config(
            request.update_fairness_key_rate_limit_default(), request.identity(), now);
    }
    auto& weights = *config.mutable_fairness_weight_overrides();
    for (const std::string& key : request.unset_fairness_weight_overrides()) weights.erase(key);
    for (const auto& [key, weight] : request.set_fairness_weight_overrides()) weights[key] = weight;
    if (weights.size() > weight_overrides) {
        return invalid_argument(
            "fairness weight overrides update rejected: exceeding maximum key size");
    }
    return absl::OkStatus();
}

void update_config(Services& services, Timestamp now, const AuthorizedNamespace& space,
                   ConfigRequest request, Reply<ConfigResponse> reply) {
    const auto type = static_cast<int>(request.task_queue_type());
    const shard::QueueId queue{space->id, request.task_queue(),
                               static_cast<shard::QueueKind>(type)};
    const std::size_t weights = services.queue_settings.settings(queue).weight_overrides;
    if (auto status = validate_config(request, space->limits, weights); !status.ok()) {
        return reply(std::move(status));
    }
    services.task_queue_configs.update(
        {queue.namespace_id, queue.name, type},
        [request = std::move(request), weights, now](TaskQueueConfig& config) {
            return change_config(config, request, weights, now);
        },
        [&services, queue,
         reply = std::move(reply)](absl::StatusOr<TaskQueueConfig> config) mutable {
            if (!config.ok()) return reply(std::move(config).status());
            services.matching.settings_changed(queue);
            ConfigResponse response;
            *response.mutable_config() = *std::move(config);
            reply(std::move(response));
        });
}

}  // namespace

void add_task_queue_methods(MethodTable& table, Services& services) {
    table.add_namespaced<DescribeRequest, DescribeResponse>(
        "DescribeTaskQueue",
        [&services](RequestContext context, AuthorizedNamespace space, auto request, auto reply) {
            describe(services, context.now, space, std::move(request), std::move(reply));
        });
    table.add_namespaced<service::ListTaskQueuePartitionsRequest,
                         service::ListTaskQueuePartitionsResponse>(
        "ListTaskQueuePartitions",
        [](RequestContext, AuthorizedNamespace, service::ListTaskQueuePartitionsRequest request,
           Reply<service::ListTaskQueuePartitionsResponse> reply) {
            const auto name = validate_queue(request);
            if (!name.ok()) return reply(name.status());
            service::ListTaskQueuePartitionsResponse response;
            response.add_activity_task_queue_partitions()->set_key(name->queue);
            response.add_workflow_task_queue_partitions()->set_key(name->queue);
            reply(std::move(response));
        });
    table.add_namespaced<ConfigRequest, ConfigResponse>(
        "UpdateTaskQueueConfig",
        [&services](RequestContext context, AuthorizedNamespace space, auto request, auto reply) {
            update_config(services, context.now, space, std::move(request), std::move(reply));
        });
}

}  // namespace stele::frontend
