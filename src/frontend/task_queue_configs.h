#pragma once

#include "base/call.h"
#include "env/env.h"
#include "matching/queue_settings.h"
#include "stele/internal/rows.pb.h"
#include "store/durable_table.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

// What operators have set for task queues: rates and weights, and the sets of build ids that may
// work for each other. Few queues have anything set, so all of it is in memory.
namespace stele::frontend {

using temporal::api::taskqueue::v1::TaskQueueConfig;

/// Reads are thread safe. Changes reply once durable.
class TaskQueueConfigs {
public:
    /// All arguments must outlive the object.
    TaskQueueConfigs(env::Env& env, store::Store& store, store::Committer& committer)
        : rows_(env, store, committer, store::Table::kTaskQueue) {}

    /// Reads what the store holds. Call once, before anything else.
    absl::Status load() { return rows_.load(); }

    /// Empty when nothing was ever set.
    TaskQueueConfig find(const store::TaskQueueKey& queue) const;
    /// The same as matching wants it.
    matching::QueueConfig find(const shard::QueueId& queue) const;
    /// Grows with every change of a configuration that shows.
    std::uint64_t version() const { return version_.load(); }

    /// Changes the configuration of a queue through `change`, which may refuse, and replies with what
    /// became of it.
    using Change = std::function<absl::Status(TaskQueueConfig&)>;
    void update(const store::TaskQueueKey& queue, Change change, Reply<TaskQueueConfig> reply);

    /// The sets of a workflow task queue, the default one last; empty when there are none.
    storage::VersionSets version_sets(const std::string& namespace_id,
                                      const std::string& queue) const;
    using ChangeSets = std::function<absl::Status(storage::VersionSets&)>;
    void update_version_sets(const std::string& namespace_id, const std::string& queue,
                             ChangeSets change, Reply<storage::VersionSets> reply);
    /// The task queues of a namespace that have this build in one of their sets, by name.
    std::vector<std::string> queues_of_build(const std::string& namespace_id,
                                             const std::string& build_id) const;

private:
    std::atomic<std::uint64_t> version_{0};
    store::DurableTable<storage::TaskQueueRow> rows_;
};

}  // namespace stele::frontend
