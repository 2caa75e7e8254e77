#pragma once

#include "base/call.h"
#include "env/env.h"
#include "env/mutex.h"
#include "history/nexus_endpoints.h"
#include "store/committer.h"
#include "store/store.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace stele::frontend {

using storage::NexusEndpointRow;

/// All Nexus endpoints. There are few and they change seldom, so every one is in memory; a change goes
/// through one executor and shows once it is durable. Reads are thread safe.
class NexusEndpointRegistry final : public history::NexusEndpoints {
public:
    /// All arguments must outlive the registry.
    NexusEndpointRegistry(env::Env& env, store::Store& store, store::Committer& committer);
    ~NexusEndpointRegistry() override;

    /// Reads what the store holds. Call once, before anything else.
    absl::Status load();

    std::optional<NexusEndpointRow> by_name(const std::string& name) const override;
    std::optional<NexusEndpointRow> by_id(const std::string& id) const override;
    /// In the order of their ids, behind `after`; at most `limit`.
    std::vector<NexusEndpointRow> list(const std::string& after, std::size_t limit) const;

    // Changes reply with the row once it is durable.

    /// Fills in id, version and time. ALREADY_EXISTS for a name that is in use, RESOURCE_EXHAUSTED when
    /// there are as many as there may be.
    void create(NexusEndpointRow row, Reply<NexusEndpointRow> reply);
    /// Replaces name, description and target. NOT_FOUND; FAILED_PRECONDITION when `row.version` is not
    /// the one that is stored; ALREADY_EXISTS for a name that another endpoint has.
    void update(NexusEndpointRow row, Reply<NexusEndpointRow> reply);
    /// NOT_FOUND when there is none.
    void erase(std::string id, Reply<NexusEndpointRow> reply);

private:
    struct Endpoints {
        std::map<std::string, NexusEndpointRow> by_id;
        std::map<std::string, std::string> id_of_name;

        void put(const NexusEndpointRow& row);
        void erase(const std::string& id);
    };

    void save(NexusEndpointRow row, Reply<NexusEndpointRow> reply);

    env::Env& env_;
    store::Store& store_;
    store::Committer& committer_;
    mutable env::Mutex mutex_;
    Endpoints durable_ STELE_GUARDED_BY(mutex_);
    Endpoints latest_;  // what will be durable; only on the executor
    std::unique_ptr<env::Executor> executor_;
};

}  // namespace stele::frontend
