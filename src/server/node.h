#pragma once

#include "config/dynamic_config.h"
#include "frontend/frontend.h"
#include "store/committer.h"
#include "visibility/visibility.h"

#include <functional>
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
    /// Search attributes that these namespaces get at start, name and type.
    std::vector<std::pair<std::string, history::AttributeType>> search_attributes;
    /// The file of the visibility index; without one it is in memory.
    std::optional<std::string> index_path;
    /// Told, in words for people, of work in the background that callers wait for. From any thread.
    std::function<void(const std::string&)> notice = {};
    store::CommitterOptions committer;
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

    /// Makes the visibility index of a store that no node has open anew.
    static absl::Status rebuild_index(store::Store& store, const std::string& path);

    virtual const frontend::Frontend& frontend() const = 0;
    virtual shard::Engine& engine() = 0;

    /// The configuration has changed: it holds for calls that arrive after this has returned.
    virtual void refresh_settings() = 0;

    /// Stops taking calls: waiting polls are answered empty, other waits UNAVAILABLE. `done` runs
    /// once every reply that was promised is out.
    virtual void drain(absl::AnyInvocable<void()> done) = 0;
};

}  // namespace stele::server
