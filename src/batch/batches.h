#pragma once

#include "batch/job.h"
#include "store/durable_table.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

// The batch operations of all namespaces. Each is a durable row; those that have not ended go on
// after a restart. A row is kept as long as its namespace keeps closed runs.
namespace stele::batch {

/// Thread safe. Changes reply once durable.
class Batches {
public:
    using SettingsOf = std::function<Settings(const std::string& namespace_id)>;

    /// All arguments must outlive the object.
    Batches(env::Env& env, store::Store& store, store::Committer& committer, shard::Engine& engine,
            visibility::Visibility& visibility, shard::NamespaceSource& namespaces,
            SettingsOf settings_of);
    ~Batches();

    /// Reads what the store holds and goes on with what has not ended. Call once, after the engine
    /// has recovered.
    absl::Status recover();

    /// Takes a request. INVALID_ARGUMENT where it can not be one; RESOURCE_EXHAUSTED when as many
    /// are under way as may be; ALREADY_EXISTS for a job id that is known.
    void start(const shard::NamespacePtr& space, Request request, Reply<history::None> reply);
    /// Ends a job where it is. NOT_FOUND when there is none, or when it has ended.
    void stop(const std::string& namespace_id, const std::string& job_id,
              Reply<history::None> reply);
    /// NOT_FOUND when there is no such job.
    absl::StatusOr<storage::BatchRow> find(const std::string& namespace_id,
                                           const std::string& job_id) const;
    /// Those under way first, then those that ended last.
    std::vector<storage::BatchRow> list(const std::string& namespace_id) const;

private:
    using Key = std::string;

    void save(const storage::BatchRow& row, Reply<history::None> reply);
    void begin(const storage::BatchRow& row);
    void admit(const shard::NamespacePtr& space, Request request, Reply<history::None> reply);
    void end(const Key& key, Reply<history::None> reply);
    void sweep(const shard::NamespaceView& space);
    std::int32_t open_jobs(const std::string& namespace_id) const;

    env::Executor& executor() const { return *context_->executor; }

    const std::shared_ptr<const JobContext> context_;
    std::map<Key, std::shared_ptr<Job>> jobs_;  // under way; only on the executor
    store::DurableTable<storage::BatchRow> rows_;
};

}  // namespace stele::batch
