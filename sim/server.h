#pragma once

#include "env/sim/sim_env.h"
#include "server/node.h"
#include "sim/options.h"
#include "sim/peer.h"
#include "store/sim/sim_disk.h"

#include <cstdint>
#include <memory>

namespace stele::sim {

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

private:
    void destroy();

    env::SimEnv& sim_;
    const Options& options_;
    store::SimDisk disk_;
    std::unique_ptr<env::SimProcess> process_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<server::Node> node_;
    std::uint64_t incarnation_ = 0;
};

}  // namespace stele::sim
