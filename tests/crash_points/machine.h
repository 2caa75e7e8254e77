#pragma once

#include "env/sim/sim_env.h"
#include "server/node.h"
#include "sim/peer.h"
#include "store/faults/fault_disk.h"
#include "tests/crash_points/ledger.h"

#include <cstdint>
#include <memory>
#include <string>

namespace stele::crash_points {

/// A server on a RocksDB store on a disk that fails: one incarnation of the process after the
/// other. Not thread safe.
class Machine final : public sim::Peer {
public:
    struct Options {
        int shards = 1;
        store::RocksDbOptions store;
    };

    Machine(env::SimEnv& sim, store::FaultDisk& disk, Ledger& ledger, const Options& options);
    ~Machine() override;

    /// Starts the process on what the disk holds. Not from inside a closure.
    absl::Status start();
    /// What the last start has missed of that which the ledger has, or nothing.
    const std::string& loss() const { return loss_; }
    /// The process is gone, in the middle of whatever it did. The disk is without power.
    void kill();

    /// The process can not go on: the power is off, or it was told of a write that failed.
    bool has_stopped() const { return !disk_.has_power() || write_failed_; }
    store::Store& store() { return *store_; }
    shard::Engine& engine() { return node_->engine(); }

    bool running() const override { return node_ != nullptr && !has_stopped(); }
    std::uint64_t incarnation() const override { return incarnation_; }
    void dispatch(const std::string& path, frontend::CallPtr call) override;

private:
    env::SimEnv& sim_;
    store::FaultDisk& disk_;
    Ledger& ledger_;
    const Options options_;
    std::unique_ptr<env::SimProcess> process_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<server::Node> node_;
    std::uint64_t incarnation_ = 0;
    bool write_failed_ = false;
    std::string loss_;
};

}  // namespace stele::crash_points
