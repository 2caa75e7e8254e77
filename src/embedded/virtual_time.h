#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "stele/runtime.h"

namespace stele::env {
class Env;
}

namespace stele::embedded {

/// A virtual clock, and one thread on which all work of an engine and of the SDK runs, in the order of
/// its posts. Work that may block, such as activities, has threads of its own.
///
/// Time stands still as long as anything runs. It passes when a thread from outside waits for an
/// Event and nothing else can go on: then it goes forward to the next timer. When there is none before
/// the horizon, the wait throws stele::Error, because what it waits for will never come.
///
/// Both faces are safe to use from any thread. They may outlive the thread: what is then posted is
/// dropped.
class VirtualTime {
public:
    struct Options {
        std::chrono::sys_seconds start;
        /// A timer that lies this far behind the start is taken as one that never fires.
        std::chrono::hours horizon;
        std::uint64_t seed = 1;
    };

    explicit VirtualTime(const Options& options);
    /// Ends the thread; what is queued is dropped.
    ~VirtualTime();
    VirtualTime(const VirtualTime&) = delete;

    /// As the engine sees it.
    const std::shared_ptr<env::Env>& env() const { return env_; }
    /// As clients and workers see it.
    const std::shared_ptr<Runtime>& runtime() const { return runtime_; }

private:
    class World;
    std::shared_ptr<World> world_;
    std::shared_ptr<env::Env> env_;
    std::shared_ptr<Runtime> runtime_;
};

}  // namespace stele::embedded
