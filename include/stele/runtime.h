#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "stele/options.h"

namespace stele {

/// Runs work in the order in which it was posted, one piece at a time. Safe to use from any thread.
class Executor {
public:
    virtual ~Executor() = default;
    virtual void post(std::function<void()> work) = 0;
};

/// Everything that clients and workers want from the machine below them. The default is a pool of
/// threads; a simulation hands in one that is a single event loop under a virtual clock.
///
/// Safe to use from any thread. It must outlive everything that was made with it, which clients and
/// workers see to by holding it.
class Runtime {
public:
    using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

    virtual ~Runtime() = default;

    virtual Time now() const = 0;
    virtual std::uint64_t random() = 0;

    /// A new queue of work. All queues share the runtime's threads; work in them must not block.
    virtual std::shared_ptr<Executor> make_executor() = 0;
    /// Runs work that may block, such as an activity, apart from the executors.
    virtual void run_blocking(std::function<void()> work) = 0;

    /// Cancels its timer when destroyed, unless that has begun to run.
    class Timer {
    public:
        virtual ~Timer() = default;
    };
    virtual std::unique_ptr<Timer> start_timer(Milliseconds delay,
                                               std::shared_ptr<Executor> executor,
                                               std::function<void()> work) = 0;

    /// A flag that a thread outside of the executors can wait for.
    class Event {
    public:
        virtual ~Event() = default;
        virtual void set() = 0;
        virtual void wait() = 0;
        /// False when the time was over first.
        virtual bool wait_for(Milliseconds timeout) = 0;
    };
    virtual std::unique_ptr<Event> make_event() = 0;
};

struct ThreadRuntimeOptions {
    /// Threads that run workflow code and the SDK's own work; 0 means two.
    int threads = 0;
    /// Threads for blocking work are made on demand, up to this many.
    int blocking_threads_max = 256;
};

std::shared_ptr<Runtime> make_thread_runtime(const ThreadRuntimeOptions& options = {});

/// The one that clients use when they are given none. Made on first use.
std::shared_ptr<Runtime> default_runtime();

}  // namespace stele
