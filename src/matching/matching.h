#pragma once

#include "env/env.h"
#include "shard/dispatch.h"

#include <memory>

// Pairs tasks with polls. Everything here is soft: a restart forgets pollers and tasks, and the
// shards offer again what is durable.
namespace stele::matching {

struct Poll {
    shard::QueueId queue;
    std::string identity;
    std::string request_id;       // fresh for each poll; makes recording the start idempotent
    std::string normal_queue;     // set when the poll is for a sticky queue
    Timestamp expires = kNever;   // answer empty at this moment
    temporal::api::common::v1::WorkerVersionCapabilities worker_version;
    double max_tasks_per_second = -1;  // queue-wide limit that activity workers ask for; < 0: none
};

struct PollerInfo {
    std::string identity;
    Timestamp last_access;
    double rate_per_second = 0;
};

struct QueueDescription {
    std::vector<PollerInfo> pollers;
    std::int64_t backlog = 0;
    Timestamp oldest_task = kNever;
};

struct MatchingOptions {
    std::size_t window = 10'000;                     // offers held per queue
    std::size_t polls_per_queue = 10'000;            // over this: RESOURCE_EXHAUSTED
    Duration sticky_unavailable_after = std::chrono::seconds(10);
    Duration poller_history = std::chrono::minutes(5);
};

/// Thread safe; works on an executor of its own.
class Matching : public shard::DispatchSink {
public:
    /// Waits for a task. nullopt: nothing came before `poll.expires`. When the scope is cancelled the
    /// poll is forgotten, and a task that was being started for it goes back at once.
    virtual void poll_workflow(Poll poll, CallScopePtr scope,
                               Reply<std::optional<shard::PolledWorkflowTask>> reply) = 0;
    virtual void poll_activity(Poll poll, CallScopePtr scope,
                               Reply<std::optional<shard::PolledActivityTask>> reply) = 0;

    virtual void describe(shard::QueueId queue, Reply<QueueDescription> reply) = 0;

    /// The worker says that it stops: its sticky queue is given up, its waiting polls answered empty.
    virtual void shutdown_sticky(shard::QueueId queue) = 0;

    /// Answers every waiting poll empty and takes no more; for shutdown.
    virtual void drain() = 0;
};

/// `starter` must outlive the result.
std::unique_ptr<Matching> make_matching(env::Env& env, shard::TaskStarter& starter,
                                        MatchingOptions options);

}  // namespace stele::matching
