#pragma once

#include "base/ids.h"
#include "env/env.h"
#include "store/store.h"

#include <functional>
#include <memory>

// The group commit. Shards hand in batches and go on; the committer merges all that wait into one
// write and says when a position has become durable. Rule 4 of the design: a reply leaves when what
// it reveals is durable.
namespace stele::store {

enum class Urgency {
    kSynced,  ///< somebody waits for it: starts a synced write as soon as none is under way
    kLazy,  ///< losing it costs nothing: rides on the next synced write, or is written soon unsynced
};

/// Thread safe.
class Committer {
public:
    virtual ~Committer() = default;

    /// Takes a batch and gives its position. Batches become visible and durable in the order of
    /// their positions.
    virtual Position submit(WriteBatch batch, Urgency urgency) = 0;

    /// Posts `closure` to `executor` once `position` is durable; makes a synced write happen if only
    /// lazy batches are waiting. Closures for ascending positions run in that order. Position 0, or
    /// one that is durable already, posts at once.
    virtual void when_durable(Position position, env::Executor& executor, env::Closure closure) = 0;

    /// Posts `closure` once the batch can be read from the store, durable or not.
    virtual void when_readable(Position position, env::Executor& executor,
                               env::Closure closure) = 0;

    /// Destroys every closure that waits for this executor. One that does not outlive the committer
    /// must be stopped and then forgotten before it is destroyed; stopped first, because a closure
    /// that still runs could wait for another position.
    virtual void forget(env::Executor& executor) = 0;

    /// The last position that can be read from the store.
    virtual Position readable() const = 0;
    /// The last position that is durable.
    virtual Position durable() const = 0;

    /// Bytes of batches that were submitted and not written yet. The committer takes everything;
    /// who submits uses this to refuse new work early when the disk does not keep up.
    virtual std::size_t pending_bytes() const = 0;
};

/// What happens when a write fails. In production it ends the process: nothing is ever rolled back
/// in memory, so a process whose write failed must not go on. Must not return in production.
using CommitFailure = std::function<void(const absl::Status&)>;

struct CommitterOptions {
    /// How long a lazy batch waits for a synced write to ride on. Longer than most workers have a
    /// task: the end of the task is synced, and takes the record of its start along.
    Duration lazy_delay = std::chrono::milliseconds(20);
    /// Under load the next write starts only after a rest as long as the last one took, but at most
    /// this: groups are larger then, and a batch costs less processor time. 0: never.
    Duration rest_max = std::chrono::milliseconds(2);
    /// So many batches in one write are a load. With fewer, everybody who could submit soon waits for this write
    /// already: a rest finds no company.
    std::size_t load_batches = 16;
    /// A merged write stops growing at this size; one batch is never divided.
    std::size_t write_bytes_max = 4U << 20;
};

/// `store` and `env` must outlive the committer. The destructor waits for the write under way and
/// commits what is left with a sync; closures that still wait are destroyed without being posted.
std::unique_ptr<Committer> make_committer(env::Env& env, Store& store, CommitFailure on_failure,
                                          const CommitterOptions& options = {});

}  // namespace stele::store
