#pragma once

#include "base/status.h"
#include "base/time.h"
#include "env/mutex.h"
#include "temporal/api/worker/v1/message.pb.h"

#include <functional>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

// The workers that have told of themselves lately, by their heartbeats. Soft state: a restart
// forgets it, and the next heartbeats bring it back.
namespace stele::frontend {

using temporal::api::worker::v1::WorkerHeartbeat;

struct WorkerRegistryLimits {
    Duration expires_after = std::chrono::minutes(5);  // since the last heartbeat
    std::size_t workers = 100'000;  // in all namespaces; beyond, the one silent for longest goes
};

/// Thread safe.
class WorkerRegistry {
public:
    explicit WorkerRegistry(WorkerRegistryLimits limits = {}) : limits_(limits) {}

    /// Remembers a heartbeat. A worker that says that it has shut down is forgotten.
    void record(const std::string& namespace_id, WorkerHeartbeat heartbeat, Timestamp now);

    /// The last heartbeat of a worker; NOT_FOUND "Worker … not found".
    absl::StatusOr<WorkerHeartbeat> find(const std::string& namespace_id,
                                         const std::string& instance_key, Timestamp now);

    struct Query {
        std::function<bool(const WorkerHeartbeat&)> wanted;
        bool system_workers = false;  // also those on the server's own task queues
        std::string after;            // only instance keys behind this one
        std::size_t limit = 0;        // 0: all
    };
    struct Page {
        std::vector<WorkerHeartbeat> workers;  // in the order of their instance keys
        bool more = false;
    };
    Page list(const std::string& namespace_id, const Query& query, Timestamp now);
    std::size_t count(const std::string& namespace_id, const Query& query, Timestamp now);

private:
    struct Name {
        std::string namespace_id;
        std::string instance_key;
    };
    struct Entry {
        WorkerHeartbeat heartbeat;
        Timestamp seen;
        std::list<Name>::iterator place;
    };
    using Workers = std::map<std::string, Entry>;  // by instance key

    void forget(const Name& name) STELE_REQUIRES(mutex_);
    void expire(Timestamp now) STELE_REQUIRES(mutex_);

    const WorkerRegistryLimits limits_;
    env::Mutex mutex_;
    std::unordered_map<std::string, Workers> by_namespace_ STELE_GUARDED_BY(mutex_);
    std::list<Name> by_age_ STELE_GUARDED_BY(mutex_);  // the one silent for longest first
};

}  // namespace stele::frontend
