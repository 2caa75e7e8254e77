#include "frontend/task_queue_configs.h"

#include "frontend/version_sets.h"
#include "temporal/api/enums/v1/task_queue.pb.h"

#include <utility>

namespace stele::frontend {
namespace {

/// Version sets belong to a task queue of any type, and are kept with the one of workflows.
store::TaskQueueKey sets_key(const std::string& namespace_id, const std::string& queue) {
    return {namespace_id, queue, temporal::api::enums::v1::TASK_QUEUE_TYPE_WORKFLOW};
}

TaskQueueConfig config_in(const storage::TaskQueueRow& row) {
    TaskQueueConfig config;
    config.ParseFromString(row.config());
    return config;
}

}  // namespace

TaskQueueConfig TaskQueueConfigs::find(const store::TaskQueueKey& queue) const {
    const auto row = rows_.find(store::encode(queue));
    return row ? config_in(*row) : TaskQueueConfig();
}

matching::QueueConfig TaskQueueConfigs::find(const shard::QueueId& queue) const {
    const TaskQueueConfig stored =
        find(store::TaskQueueKey{queue.namespace_id, queue.name, static_cast<int>(queue.kind)});
    matching::QueueConfig config;
    if (stored.queue_rate_limit().has_rate_limit()) {
        config.rate = stored.queue_rate_limit().rate_limit().requests_per_second();
    }
    if (stored.fairness_keys_rate_limit_default().has_rate_limit()) {
        config.rate_per_key =
            stored.fairness_keys_rate_limit_default().rate_limit().requests_per_second();
    }
    config.weights = {stored.fairness_weight_overrides().begin(),
                      stored.fairness_weight_overrides().end()};
    return config;
}

void TaskQueueConfigs::update(const store::TaskQueueKey& queue, Change change,
                              Reply<TaskQueueConfig> reply) {
    rows_.change(
        store::encode(queue),
        [change = std::move(change)](std::optional<storage::TaskQueueRow>& row) {
            if (!row) row.emplace();
            TaskQueueConfig config = config_in(*row);
            STELE_RETURN_IF_ERROR(change(config));
            row->set_config(config.SerializeAsString());
            return absl::OkStatus();
        },
        [this, reply = std::move(reply)](
            absl::StatusOr<std::optional<storage::TaskQueueRow>> row) mutable {
            if (!row.ok()) return reply(std::move(row).status());
            ++version_;
            reply(config_in(**row));
        });
}

storage::VersionSets TaskQueueConfigs::version_sets(const std::string& namespace_id,
                                                    const std::string& queue) const {
    const auto row = rows_.find(store::encode(sets_key(namespace_id, queue)));
    return row ? row->version_sets() : storage::VersionSets();
}

void TaskQueueConfigs::update_version_sets(const std::string& namespace_id,
                                           const std::string& queue, ChangeSets change,
                                           Reply<storage::VersionSets> reply) {
    rows_.change(
        store::encode(sets_key(namespace_id, queue)),
        [change = std::move(change)](std::optional<storage::TaskQueueRow>& row) {
            if (!row) row.emplace();
            return change(*row->mutable_version_sets());
        },
        [reply =
             std::move(reply)](absl::StatusOr<std::optional<storage::TaskQueueRow>> row) mutable {
            if (!row.ok()) return reply(std::move(row).status());
            reply((*row)->version_sets());
        });
}

std::vector<std::string> TaskQueueConfigs::queues_of_build(const std::string& namespace_id,
                                                           const std::string& build_id) const {
    std::vector<std::string> queues;
    for (const auto& [key, row] : rows_.rows(store::task_queue_range(namespace_id))) {
        if (!find_build(row.version_sets(), build_id)) continue;
        if (auto decoded = store::decode_task_queue_key(key); decoded.ok()) {
            queues.push_back(std::move(decoded->name));
        }
    }
    return queues;
}

}  // namespace stele::frontend
