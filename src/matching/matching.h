#pragma once

#include "env/env.h"
#include "matching/queue_settings.h"
#include "shard/dispatch.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Pairs tasks with polls. Everything here is soft: a restart forgets pollers and tasks, and the
// shards offer again what is durable.
namespace stele::matching {

struct Poll {
    shard::QueueId queue;
    std::string identity;
    std::string worker_instance_key;  // empty when the worker does not tell
    std::string control_task_queue;   // where the worker listens for commands; empty: nowhere
    std::string request_id;           // fresh for each poll; makes recording the start idempotent
    std::string normal_queue;         // set when the poll is for a sticky queue
    Timestamp expires = kNever;  // answer empty at this moment, or earlier by the queue's long_poll
    temporal::api::common::v1::WorkerVersionCapabilities worker_version;
    temporal::api::deployment::v1::WorkerDeploymentOptions deployment;
    double max_tasks_per_second = -1;  // queue-wide limit that activity workers ask for; < 0: none
};

struct PollerInfo {
    std::string identity;
    Timestamp last_access;
    double rate_per_second = 0;
    temporal::api::common::v1::WorkerVersionCapabilities worker_version;
    temporal::api::deployment::v1::WorkerDeploymentOptions deployment;
};

/// What matching knows of the tasks of one priority. How many there are is known to the shards.
struct PriorityStats {
    Timestamp oldest = kNever;
    double added_per_second = 0;  // over the last half minute
    double dispatched_per_second = 0;
};

struct QueueDescription {
    std::vector<PollerInfo> pollers;
    std::map<std::int32_t, PriorityStats> by_priority;
    double rate = 0;  // at most so many tasks a second leave the queue
    temporal::api::enums::v1::RateLimitSource rate_source{};
    bool rate_limiting = false;  // tasks had to wait for the rate lately
};

struct MatchingOptions {
    std::size_t window = 10'000;           // offers held per queue
    std::size_t polls_per_queue = 10'000;  // over this: RESOURCE_EXHAUSTED
    Duration sticky_unavailable_after = std::chrono::seconds(10);
    Duration sweep_interval = std::chrono::minutes(1);  // between looks for what nobody uses
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
    /// The worker of this instance key says that it stops: its polls of the queue are answered empty,
    /// now and should more of them come.
    virtual void shutdown_worker(shard::QueueId queue, std::string worker_instance_key) = 0;

    /// What is set for a queue has changed; without one, for any queue. Waiting polls are served by
    /// what is set now.
    virtual void settings_changed(std::optional<shard::QueueId> queue = std::nullopt) = 0;

    /// Answers every waiting poll empty and takes no more; for shutdown.
    virtual void drain() = 0;
};

/// `starter` and `settings` must outlive the result.
std::unique_ptr<Matching> make_matching(env::Env& env, shard::TaskStarter& starter,
                                        const QueueSettingsSource& settings,
                                        MatchingOptions options);

}  // namespace stele::matching
