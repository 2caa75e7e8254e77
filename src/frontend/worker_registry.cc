#include "frontend/worker_registry.h"

#include <fmt/format.h>

#include <utility>

namespace stele::frontend {
namespace {

constexpr char kSystemQueuePrefix[] = "temporal-sys-";

bool is_wanted(const WorkerHeartbeat& worker, const WorkerRegistry::Query& query) {
    if (!query.system_workers && worker.task_queue().starts_with(kSystemQueuePrefix)) return false;
    return !query.wanted || query.wanted(worker);
}

}  // namespace

void WorkerRegistry::record(const std::string& namespace_id, WorkerHeartbeat heartbeat,
                            Timestamp now) {
    Name name{namespace_id, heartbeat.worker_instance_key()};
    const env::MutexLock lock(mutex_);
    expire(now);
    forget(name);
    if (heartbeat.status() == temporal::api::enums::v1::WORKER_STATUS_SHUTDOWN) return;
    if (by_age_.size() >= limits_.workers) {
        const Name oldest = by_age_.front();
        forget(oldest);
    }
    const auto place = by_age_.insert(by_age_.end(), name);
    by_namespace_[name.namespace_id].emplace(std::move(name.instance_key),
                                             Entry{std::move(heartbeat), now, place});
}

absl::StatusOr<WorkerHeartbeat> WorkerRegistry::find(const std::string& namespace_id,
                                                     const std::string& instance_key,
                                                     Timestamp now) {
    const env::MutexLock lock(mutex_);
    expire(now);
    const auto workers = by_namespace_.find(namespace_id);
    if (workers != by_namespace_.end()) {
        const auto worker = workers->second.find(instance_key);
        if (worker != workers->second.end()) return worker->second.heartbeat;
    }
    return not_found(fmt::format("Worker {} not found", instance_key));
}

WorkerRegistry::Page WorkerRegistry::list(const std::string& namespace_id, const Query& query,
                                          Timestamp now) {
    const env::MutexLock lock(mutex_);
    expire(now);
    Page page;
    const auto workers = by_namespace_.find(namespace_id);
    if (workers == by_namespace_.end()) return page;
    auto worker = workers->second.upper_bound(query.after);
    for (; worker != workers->second.end(); ++worker) {
        if (!is_wanted(worker->second.heartbeat, query)) continue;
        if (query.limit != 0 && page.workers.size() == query.limit) {
            page.more = true;
            break;
        }
        page.workers.push_back(worker->second.heartbeat);
    }
    return page;
}

std::size_t WorkerRegistry::count(const std::string& namespace_id, const Query& query,
                                  Timestamp now) {
    const env::MutexLock lock(mutex_);
    expire(now);
    std::size_t count = 0;
    const auto workers = by_namespace_.find(namespace_id);
    if (workers == by_namespace_.end()) return count;
    for (const auto& [key, worker] : workers->second) {
        if (is_wanted(worker.heartbeat, query)) ++count;
    }
    return count;
}

void WorkerRegistry::forget(const Name& name) {
    const auto workers = by_namespace_.find(name.namespace_id);
    if (workers == by_namespace_.end()) return;
    const auto worker = workers->second.find(name.instance_key);
    if (worker == workers->second.end()) return;
    by_age_.erase(worker->second.place);
    workers->second.erase(worker);
    if (workers->second.empty()) by_namespace_.erase(workers);
}

void WorkerRegistry::expire(Timestamp now) {
    while (!by_age_.empty()) {
        const Name oldest = by_age_.front();
        const Timestamp seen = by_namespace_.at(oldest.namespace_id).at(oldest.instance_key).seen;
        if (now - seen <= limits_.expires_after) return;
        forget(oldest);
    }
}

}  // namespace stele::frontend
