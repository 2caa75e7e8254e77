#pragma once

#include "base/time.h"

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The one seam to the world. Production (env/posix) and simulation (env/sim) differ only in what
// stands behind these interfaces: everything that reads a clock, waits, runs code elsewhere or
// draws a random number does it through them.
namespace stele::env {

using Closure = absl::AnyInvocable<void()>;

/// Names a pending timer of an executor; 0 is never used.
using TimerId = std::uint64_t;

/// Runs closures one after the other, never two at once, in the order in which they were posted.
/// All state that a component keeps is touched only from its executor, which is why the engine has
/// no locks. All methods are thread safe; closures must not block.
class Executor {
public:
    virtual ~Executor() = default;

    /// Queues a closure. Never runs it in place, so a caller's state is settled before it starts.
    virtual void post(Closure closure) = 0;

    /// The same for several, in their order. An executor with a thread of its own is woken up once for all.
    virtual void post_all(std::vector<Closure> closures) {
        for (Closure& closure : closures) post(std::move(closure));
    }

    /// Runs a closure no earlier than `when` by the wall clock of the Env. A moment in the past
    /// means as soon as possible, after what is already queued.
    virtual TimerId run_at(Timestamp when, Closure closure) = 0;

    /// Forgets a timer; its closure is destroyed, not run. No effect once it ran or if unknown.
    /// Called on this executor, the closure is certain not to run afterwards.
    virtual void cancel(TimerId timer) = 0;

    /// True when called from inside one of this executor's closures.
    virtual bool is_current() const = 0;

    /// Waits for the running closure and drops the rest; what is posted afterwards is dropped too.
    /// For owners that have to tidy up between the last closure and the destruction, such as
    /// several that post to each other. Idempotent; not from one of its own closures.
    virtual void stop() = 0;
};

/// A stream of random numbers. Thread safe in production; deterministic from the seed in
/// simulation. Good enough for ids and jitter; secrets use fill_secret.
class Random {
public:
    virtual ~Random() = default;

    virtual std::uint64_t next() = 0;
    /// Bytes fit for keys.
    virtual std::string secret_bytes(std::size_t count) = 0;
};

/// Everything that a server process needs from outside itself. Thread safe. Outlives all that uses it.
class Env {
public:
    virtual ~Env() = default;

    /// Wall clock. May jump; never used to order things.
    virtual Timestamp now() = 0;
    virtual Random& random() = 0;

    /// A serial executor with a thread of its own (or a place in the simulation's schedule). Its
    /// destructor stops it.
    virtual std::unique_ptr<Executor> make_executor(std::string name) = 0;
    /// The same for work that blocks on files, such as the synced write of the committer.
    virtual std::unique_ptr<Executor> make_blocking_executor(std::string name) = 0;
};

/// A version-4 UUID in the usual 8-4-4-4-12 form.
std::string new_uuid(Random& random);

}  // namespace stele::env
