#pragma once

#include "base/call.h"
#include "env/env.h"
#include "env/mutex.h"
#include "matching/queue_settings.h"
#include "store/committer.h"
#include "store/keys.h"
#include "store/store.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>

// What operators have set for task queues. Few queues have anything set, so all of it is in memory;
// a change goes through one executor and shows once it is durable.
namespace stele::frontend {

using temporal::api::taskqueue::v1::TaskQueueConfig;

/// Reads are thread safe. Changes reply once durable.
class TaskQueueConfigs {
public:
    /// All arguments must outlive the object.
    TaskQueueConfigs(env::Env& env, store::Store& store, store::Committer& committer);
    ~TaskQueueConfigs();

    /// Reads what the store holds. Call once, before anything else.
    absl::Status load();

    /// Empty when nothing was ever set.
    TaskQueueConfig find(const store::TaskQueueKey& queue) const;
    /// The same as matching wants it.
    matching::QueueConfig find(const shard::QueueId& queue) const;
    /// Grows with every change that shows.
    std::uint64_t version() const { return version_.load(); }

    /// Changes the configuration of a queue through `change`, which may refuse, and replies with what
    /// became of it.
    using Change = std::function<absl::Status(TaskQueueConfig&)>;
    void update(store::TaskQueueKey queue, Change change, Reply<TaskQueueConfig> reply);

private:
    using Configs = std::map<std::string, TaskQueueConfig>;  // by encoded key

    void save(std::string key, TaskQueueConfig config, Reply<TaskQueueConfig> reply);

    store::Store& store_;
    store::Committer& committer_;
    mutable env::Mutex mutex_;
    Configs durable_ STELE_GUARDED_BY(mutex_);
    std::atomic<std::uint64_t> version_{0};
    Configs latest_;  // what will be durable; only on the executor
    std::unique_ptr<env::Executor> executor_;
};

}  // namespace stele::frontend
