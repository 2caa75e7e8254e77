#pragma once

#include "frontend/tokens.h"
#include "matching/nexus_tasks.h"

namespace stele::frontend {

/// Sends to workers what shards ask of them. A worker knows an activity by its task token, which only
/// the frontend can make. Thread safe; both arguments must outlive it.
class WorkerCommands final : public shard::NexusSender {
public:
    WorkerCommands(matching::NexusTasks& tasks, const TokenSigner& tokens)
        : tasks_(tasks), tokens_(tokens) {}

    void send(shard::NexusRequest request, Reply<history::NexusAnswer> reply) override;
    void send(shard::CancelActivities commands, Reply<history::NexusAnswer> reply) override;

private:
    matching::NexusTasks& tasks_;
    const TokenSigner& tokens_;
};

}  // namespace stele::frontend
