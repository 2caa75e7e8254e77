#pragma once

#include "env/sim/sim_env.h"
#include "server/node.h"
#include "sim/callbacks.h"
#include "sim/options.h"
#include "sim/peer.h"
#include "sim/scratch_file.h"
#include "store/sim/sim_disk.h"

#include <cstdint>
#include <memory>

namespace stele::sim {

/// What one payload may have at most. Small, so that one that is larger costs little.
inline constexpr std::size_t kBlobBytesMax = 16 * 1024;
/// For how long a workflow task may be kept by heartbeats, where they are short.
inline constexpr Duration kShortHeartbeats = std::chrono::seconds(1);

/// A simulated server machine: a disk that lasts, and one incarnation of the process after the
/// other. Not thread safe.
class Server final : public Peer {
public:
    Server(env::SimEnv& sim, const Options& options);
    ~Server() override;

    /// Starts a new incarnation on what the disk holds. Not from inside a closure.
    void start();
    /// As kill -9: what was written stays, synced or not.
    void kill();
    /// As pulling the plug: a suffix of what was not synced is gone.
    void lose_power();

    bool running() const override { return node_ != nullptr; }
    std::uint64_t incarnation() const override { return incarnation_; }
    void dispatch(const std::string& path, frontend::CallPtr call) override;

    store::Store& disk_content() { return disk_.content(); }
    CallbackReceiver& callbacks() { return callbacks_; }

private:
    void destroy();

    env::SimEnv& sim_;
    const Options& options_;
    store::SimDisk disk_;
    CallbackReceiver callbacks_;
    std::unique_ptr<env::SimProcess> process_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<server::Node> node_;
    std::uint64_t incarnation_ = 0;
    /// The index of lists follows the store, so a power loss may leave it as it is.
    std::unique_ptr<ScratchFile> index_file_;
};

}  // namespace stele::sim
