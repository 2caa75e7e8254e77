#pragma once

#include "env/sim/sim_random.h"
#include "store/store.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

// The disk of a simulated server. It outlives the process that uses it, and knows which writes were
// synced: a power loss takes a suffix of the others away, whole batches at a time, which is what
// RocksDB's log promises. Slow disks are the business of the blocking executor.
namespace stele::store {

/// Not thread safe.
class SimDisk {
public:
    SimDisk();
    ~SimDisk();

    /// The store of the process that starts. The process before must have been detached. Once it is
    /// detached itself, it writes nothing, finds nothing and answers OK, so that the objects of a
    /// dead process can be destroyed in peace. Must not outlive the disk.
    std::unique_ptr<Store> open();

    /// The process was killed; the machine goes on. Everything that was written stays.
    void kill_process();
    /// The power went: keeps what was synced and a prefix of the rest, drawn from `random`. Gives
    /// the number of lost batches. No cursor may be left.
    std::size_t lose_power(env::SimRandom& random);

    /// What happens to a write that fails.
    enum class Fate {
        kLost,     ///< nothing was written
        kWritten,  ///< all was written, and the error is all that went wrong
    };
    /// The `count`-th write from now, 1 being the next, fails, and every one behind it does so too
    /// until `heal` or the next `open`.
    void fail_write(std::uint64_t count, Fate fate, absl::Status error);
    void heal();

    /// Writes that a power loss could take away.
    std::size_t unsynced() const { return unsynced_.size(); }
    /// Writes so far, of all processes.
    std::uint64_t writes() const { return writes_; }
    /// The content as the running process sees it, for the checkers of invariants.
    Store& content() { return *visible_; }

private:
    class Handle;

    absl::Status write(const WriteBatch& batch, Sync sync);
    void detach();

    std::unique_ptr<Store> visible_;
    std::unique_ptr<Store> durable_;
    std::deque<WriteBatch> unsynced_;
    Handle* handle_ = nullptr;
    std::uint64_t writes_ = 0;
    std::uint64_t failing_from_ = 0;  // number of the first write that fails; 0: none
    Fate fate_ = Fate::kLost;
    absl::Status error_;
};

}  // namespace stele::store
