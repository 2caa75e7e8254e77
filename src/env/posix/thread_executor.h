#pragma once

#include "env/env.h"

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace stele::env {

/// The machine's wall clock.
Timestamp wall_clock();

/// One thread that runs what is posted to it. The thread takes the whole queue at once, so a burst
/// of posts costs one wake-up and one lock per post. Thread safe; destroy it from another thread.
class ThreadExecutor final : public Executor {
public:
    explicit ThreadExecutor(std::string name);
    ~ThreadExecutor() override;

    void post(Closure closure) override;
    TimerId run_at(Timestamp when, Closure closure) override;
    void cancel(TimerId timer) override;
    bool is_current() const override;
    void stop() override;

private:
    struct Timer {
        Closure closure;
        /// The timer runs after this many posted closures: those that were queued before it.
        std::uint64_t after;
    };
    using TimerKey = std::pair<Timestamp, TimerId>;

    void run();
    void wait_for_work(std::unique_lock<std::mutex>& lock);
    void run_queue(std::unique_lock<std::mutex>& lock);
    void run_due_timers(std::unique_lock<std::mutex>& lock);
    void wake();

    const std::string name_;

    std::mutex mutex_;  // guards everything down to batch_
    std::condition_variable woken_;
    bool sleeping_ = false;
    std::atomic<bool> stopping_ = false;  // written under the lock, read between closures without
    std::vector<Closure> queue_;
    std::uint64_t posted_ = 0;  // closures that were ever queued
    std::uint64_t taken_ = 0;   // closures that were ever taken to be run
    absl::btree_map<TimerKey, Timer> timers_;
    absl::flat_hash_map<TimerId, Timestamp> timer_times_;
    TimerId last_timer_ = 0;

    std::vector<Closure> batch_;  // of the thread alone; kept for its capacity
    std::thread thread_;
};

}  // namespace stele::env
