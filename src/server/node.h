#pragma once

#include "config/dynamic_config.h"
#include "frontend/frontend.h"
#include "store/committer.h"

#include <memory>
#include <string>
#include <vector>

// One node: the engine with everything around it except a transport. The server puts gRPC in front
// of it, the simulator and the embedded mode call it directly.
namespace stele::server {

struct NodeOptions {
    shard::EngineOptions engine;
    matching::MatchingOptions matching;
    /// Of every namespace, where the configuration does not say otherwise.
    frontend::NamespaceSettings settings;
    /// Of every task queue, in the same way.
    matching::QueueSettings queue_settings;
    /// What changes settings while the node runs; null: nothing does. Must outlive the node.
    const config::DynamicConfig* config = nullptr;
    /// Created at start if they do not exist, with a retention of one day. `default` always is.
    std::vector<std::string> namespaces;
    /// What a failed write does; ends the process unless set.
    store::CommitFailure on_commit_failure;
};

/// Thread safe once started. The destructor stops everything, in the order of dependence.
class Node {
public:
    /// Recovers what the store holds and is ready for calls when it returns. `env` and `store`
    /// must outlive the node.
    static absl::StatusOr<std::unique_ptr<Node>> start(env::Env& env, store::Store& store,
                                                       NodeOptions options);
    virtual ~Node() = default;

    virtual const frontend::Frontend& frontend() const = 0;
    virtual shard::Engine& engine() = 0;

    /// The configuration has changed: it holds for calls that arrive after this has returned.
    virtual void refresh_settings() = 0;

    /// Stops taking calls: waiting polls are answered empty, other waits UNAVAILABLE. `done` runs
    /// once every reply that was promised is out.
    virtual void drain(absl::AnyInvocable<void()> done) = 0;
};

}  // namespace stele::server
