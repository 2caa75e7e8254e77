#pragma once

#include "frontend/namespaces.h"

#include <memory>
#include <set>
#include <string>

// The end of deleted namespaces: their runs are ended and deleted, then the namespaces themselves
// go. It goes on after a restart, since a namespace that is marked as deleted stays until it has
// nothing left.
namespace stele::frontend {

/// Thread safe.
class NamespacePurge {
public:
    /// All arguments must outlive it.
    NamespacePurge(env::Env& env, shard::Engine& engine, NamespaceRegistry& namespaces);
    ~NamespacePurge();

    /// Takes up every namespace that is marked as deleted. Call once the engine has recovered.
    void recover();
    /// Purges a namespace that was just marked as deleted.
    void start(const std::string& namespace_id);

private:
    void pass(const std::string& namespace_id, int empty_passes);
    void found(const std::string& namespace_id, int empty_passes, absl::StatusOr<std::size_t> runs);

    env::Env& env_;
    shard::Engine& engine_;
    NamespaceRegistry& namespaces_;
    std::unique_ptr<env::Executor> executor_;
};

}  // namespace stele::frontend
