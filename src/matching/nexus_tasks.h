#pragma once

#include "matching/matching.h"
#include "shard/nexus.h"

// Requests to handlers of Nexus operations, and the polls of the workers that handle them. A request
// waits for a poll, then for the answer of the worker that got it, and is gone with its deadline:
// whoever made it asks again.
namespace stele::matching {

/// A request as a poll answers it.
struct NexusTask {
    std::string id;  // names the wait for its answer; goes into the worker's token
    temporal::api::nexus::v1::Request request;
    std::int32_t poller_advice = 0;  // how many polls more (or fewer) the worker should keep open
};

/// Thread safe; works on an executor of its own.
class NexusTasks {
public:
    virtual ~NexusTasks() = default;

    /// Waits for a request. nullopt: nothing came before `poll.expires`. When the scope is cancelled
    /// the poll is forgotten.
    virtual void poll(Poll poll, CallScopePtr scope, Reply<std::optional<NexusTask>> reply) = 0;
    /// Replies what a worker has answered. DEADLINE_EXCEEDED when none has in time,
    /// RESOURCE_EXHAUSTED when too many requests wait.
    virtual void dispatch(shard::NexusRequest request, Reply<history::NexusAnswer> reply) = 0;
    /// The worker's answer; NOT_FOUND when nobody waits for it any more.
    virtual void respond(std::string task_id, history::NexusAnswer answer,
                         Reply<history::None> reply) = 0;

    /// Those who polled a queue of late.
    virtual void pollers(shard::QueueId queue, Reply<std::vector<PollerInfo>> reply) = 0;
    /// The worker of this instance key says that it stops: its polls are answered empty, now and should
    /// more of them come.
    virtual void shutdown_worker(shard::QueueId queue, std::string worker_instance_key) = 0;
    /// Answers every wait and takes no more; for shutdown.
    virtual void drain() = 0;
};

/// `settings` must outlive the result.
std::unique_ptr<NexusTasks> make_nexus_tasks(env::Env& env, const QueueSettingsSource& settings,
                                             MatchingOptions options);

}  // namespace stele::matching
