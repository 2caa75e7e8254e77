#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

namespace stele::store {

/// RocksDB's environment on other files, in which work in the background waits until it is asked
/// for and then runs on the caller's thread. A write that waits for such work would wait for ever,
/// so it must be done after each write. Scheduling is thread safe.
class InlineEnvironment final : public rocksdb::EnvWrapper {
public:
    explicit InlineEnvironment(std::shared_ptr<rocksdb::FileSystem> files);

    const char* Name() const override { return "stele inline"; }
    void Schedule(void (*function)(void*), void* argument, Priority priority, void* tag,
                  void (*unscheduled)(void*)) override;
    int UnSchedule(void* tag, Priority priority) override;
    unsigned int GetThreadPoolQueueLen(Priority priority) const override;

    /// Runs all that was scheduled, and what that schedules, up to work that fails and wants to wait
    /// before it is tried again: that has time until the next call. Not from inside of RocksDB.
    void run_scheduled();

private:
    /// Nobody sleeps; who wanted to is remembered.
    class Clock final : public rocksdb::SystemClockWrapper {
    public:
        using SystemClockWrapper::SystemClockWrapper;
        const char* Name() const override { return "stele inline clock"; }
        void SleepForMicroseconds(int) override { slept_ = true; }
        bool slept() { return slept_.exchange(false); }

    private:
        std::atomic<bool> slept_ = false;
    };

    struct Work {
        void (*function)(void*);
        void* argument;
        Priority priority;
        void* tag;
        void (*unscheduled)(void*);
    };

    std::shared_ptr<Clock> clock_;
    mutable std::mutex mutex_;
    std::deque<Work> scheduled_;
};

}  // namespace stele::store
