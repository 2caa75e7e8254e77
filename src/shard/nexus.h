#pragma once

#include "history/nexus.h"
#include "shard/dispatch.h"

// What shards ask of workers beside tasks: to handle operations, and to obey commands. Nothing of it
// is kept here or behind: the outbox of the shard asks again.
namespace stele::shard {

/// A request to whoever polls a Nexus queue.
struct NexusRequest {
    QueueId queue;
    temporal::api::nexus::v1::Request request;
    Timestamp deadline = kNever;
};

/// Attempts that the worker behind a control queue is to give up.
struct CancelActivities {
    QueueId queue;
    RunRef run;
    std::vector<history::ActivityToken> activities;
    Timestamp deadline = kNever;
};

/// Thread safe.
class NexusSender {
public:
    virtual ~NexusSender() = default;
    /// Replies what a worker has answered. DEADLINE_EXCEEDED when none has in time.
    virtual void send(NexusRequest request, Reply<history::NexusAnswer> reply) = 0;
    virtual void send(CancelActivities commands, Reply<history::NexusAnswer> reply) = 0;
};

}  // namespace stele::shard
