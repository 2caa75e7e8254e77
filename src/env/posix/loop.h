#pragma once

#include "env/env.h"

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// A thread that waits for everything at once: posted closures, timers and file descriptors. Several
// executors (strands) share one, so that work which passes from one to the other, such as a call
// from its socket to its shard and back, costs no switch of threads.
namespace stele::env {

/// The machine's wall clock.
Timestamp wall_clock();
/// The same; on a loop that keeps it, as it was when the loop looked last, a few closures ago. Looking takes time, and a
/// call looks a dozen times.
Timestamp loop_clock();

class Loop;

/// Is told when its file descriptor is ready.
class Watcher {
public:
    virtual ~Watcher() = default;
    /// `events` as of epoll. Runs on the loop's thread; may unwatch itself.
    virtual void ready(std::uint32_t events) = 0;
};

/// Thread safe, except where it says otherwise. Everything made from it must be gone before it.
class Loop {
public:
    /// Whether `loop_clock` looks each time, or keeps what the clock said some closures ago. Whoever measures what a
    /// closure takes needs the former.
    enum class Clock { kExact, kKept };
    explicit Loop(std::string name, Clock clock = Clock::kExact);
    /// Ends the thread. Not from the loop's own thread.
    ~Loop();

    /// An executor whose closures run on this loop's thread, in turn with those of others.
    std::unique_ptr<Executor> make_strand(std::string name);

    bool is_current() const;

    /// Only on the loop's thread: tells `watcher` of events until it is unwatched. The watcher is
    /// not told of anything after that, not even of what is known already.
    void watch(int descriptor, std::uint32_t events, Watcher& watcher);
    void change(int descriptor, std::uint32_t events, Watcher& watcher);
    void unwatch(int descriptor, Watcher& watcher);

private:
    friend class Strand;

    /// What the loop knows of a strand; outlives it for as long as something of it is queued.
    struct StrandState {
        std::string name;
        std::atomic<bool> stopped = false;  // written under the lock, read between closures without
    };
    using StrandPtr = std::shared_ptr<StrandState>;

    struct Posted {
        StrandPtr strand;
        Closure closure;
    };
    struct Timer {
        StrandPtr strand;
        Closure closure;
        /// The timer runs after this many posted closures: those that were queued before it.
        std::uint64_t after;
    };
    using TimerKey = std::pair<Timestamp, TimerId>;

    void post(const StrandPtr& strand, Closure closure);
    void post_all(const StrandPtr& strand, std::vector<Closure> closures);
    TimerId run_at(const StrandPtr& strand, Timestamp when, Closure closure);
    void cancel(TimerId timer);
    void stop(StrandState& strand);
    bool runs(const StrandState& strand) const;

    void run();
    void run_queue(std::unique_lock<std::mutex>& lock);
    void run_due_timers(std::unique_lock<std::mutex>& lock);
    /// Waits for descriptors; not at all while closures are queued.
    void wait(std::unique_lock<std::mutex>& lock);
    void arm_timer();
    void wake();
    void look_at_clock() const;

    const std::string name_;
    const Clock clock_;
    int epoll_ = -1;
    int wake_ = -1;   // an eventfd
    int timer_ = -1;  // a timerfd on the wall clock: the kernel follows when somebody sets it

    std::mutex mutex_;                // guards everything down to batch_
    std::condition_variable turned_;  // a batch or a timer has ended
    bool sleeping_ = false;
    bool ending_ = false;
    std::vector<Posted> queue_;
    std::uint64_t posted_ = 0;  // closures that were ever queued
    std::uint64_t taken_ = 0;   // closures that were ever taken to be run
    std::uint64_t turns_ = 0;   // how often `turned_` was told
    bool busy_ = false;         // closures run, and the lock is not held
    absl::btree_map<TimerKey, Timer> timers_;
    absl::flat_hash_map<TimerId, Timestamp> timer_times_;
    TimerId last_timer_ = 0;

    // Of the thread alone.
    std::vector<Posted> batch_;  // kept for its capacity
    const StrandState* running_ = nullptr;
    Timestamp armed_ = kNever;
    std::array<epoll_event, 64> events_{};
    int event_count_ = 0;

    std::thread thread_;
};

}  // namespace stele::env
