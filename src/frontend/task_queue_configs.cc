#include "frontend/task_queue_configs.h"

#include "stele/internal/rows.pb.h"

#include <utility>

namespace stele::frontend {

TaskQueueConfigs::TaskQueueConfigs(env::Env& env, store::Store& store, store::Committer& committer)
    : store_(store), committer_(committer), executor_(env.make_executor("task-queue-configs")) {}

TaskQueueConfigs::~TaskQueueConfigs() {
    executor_->stop();
    committer_.forget(*executor_);
}

absl::Status TaskQueueConfigs::load() {
    const store::KeyRange range = store::table_range(store::Table::kTaskQueue);
    const auto cursor = store_.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        storage::TaskQueueRow row;
        STELE_RETURN_IF_ERROR(
            store::unwrap_message(store::Table::kTaskQueue, cursor->value(), row));
        latest_[std::string(cursor->key())].ParseFromString(row.config());
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    const env::MutexLock lock(mutex_);
    durable_ = latest_;
    return absl::OkStatus();
}

TaskQueueConfig TaskQueueConfigs::find(const store::TaskQueueKey& queue) const {
    const std::string key = store::encode(queue);
    const env::MutexLock lock(mutex_);
    const auto found = durable_.find(key);
    return found == durable_.end() ? TaskQueueConfig() : found->second;
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

void TaskQueueConfigs::update(store::TaskQueueKey queue, Change change,
                              Reply<TaskQueueConfig> reply) {
    executor_->post([this, key = store::encode(queue), change = std::move(change),
                     reply = std::move(reply)]() mutable {
        const auto found = latest_.find(key);
        TaskQueueConfig config = found == latest_.end() ? TaskQueueConfig() : found->second;
        if (absl::Status status = change(config); !status.ok()) return reply(std::move(status));
        save(std::move(key), std::move(config), std::move(reply));
    });
}

void TaskQueueConfigs::save(std::string key, TaskQueueConfig config,
                            Reply<TaskQueueConfig> reply) {
    latest_[key] = config;
    storage::TaskQueueRow row;
    row.set_config(config.SerializeAsString());
    store::WriteBatch batch;
    batch.put(key, store::wrap_message(store::Table::kTaskQueue, row));
    const Position position = committer_.submit(std::move(batch), store::Urgency::kSynced);
    committer_.when_durable(position, *executor_,
                            [this, key = std::move(key), config = std::move(config),
                             reply = std::move(reply)]() mutable {
                                {
                                    const env::MutexLock lock(mutex_);
                                    durable_[key] = config;
                                }
                                ++version_;
                                reply(std::move(config));
                            });
}

}  // namespace stele::frontend
