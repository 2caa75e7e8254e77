#include "env/posix/thread_executor.h"

#include "base/check.h"

#include <pthread.h>

#include <chrono>

namespace stele::env {
namespace {

thread_local const ThreadExecutor* current_executor = nullptr;

using SystemTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

}  // namespace

ThreadExecutor::ThreadExecutor(std::string name)
    : name_(std::move(name)), thread_([this] { run(); }) {}

ThreadExecutor::~ThreadExecutor() { stop(); }

void ThreadExecutor::stop() {
    STELE_CHECK(!is_current(), "executor " + name_ + " is stopped by its own closure");
    if (!thread_.joinable()) return;
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
        wake();
    }
    thread_.join();
    // What is dropped is destroyed without the lock: a destructor may post here once more, which
    // is ignored from now on.
    std::unique_lock lock(mutex_);
    std::vector<Closure> dropped = std::move(queue_);
    absl::btree_map<TimerKey, Timer> timers = std::move(timers_);
    timer_times_.clear();
    lock.unlock();
}

void ThreadExecutor::post(Closure closure) {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(closure));
    ++posted_;
    wake();
}

TimerId ThreadExecutor::run_at(Timestamp when, Closure closure) {
    std::lock_guard lock(mutex_);
    const TimerId id = ++last_timer_;
    if (stopping_) return id;
    timer_times_.emplace(id, when);
    const auto place =
        timers_.emplace(TimerKey(when, id), Timer{std::move(closure), posted_}).first;
    if (place == timers_.begin()) wake();
    return id;
}

void ThreadExecutor::cancel(TimerId timer) {
    Closure dropped;
    std::lock_guard lock(mutex_);
    const auto time = timer_times_.find(timer);
    if (time == timer_times_.end()) return;
    const auto place = timers_.find(TimerKey(time->second, timer));
    dropped = std::move(place->second.closure);
    timers_.erase(place);
    timer_times_.erase(time);
}

bool ThreadExecutor::is_current() const { return current_executor == this; }

void ThreadExecutor::wake() {
    if (!sleeping_) return;
    sleeping_ = false;
    woken_.notify_one();
}

void ThreadExecutor::run() {
    constexpr std::size_t kKernelNameLength = 15;
    pthread_setname_np(pthread_self(), name_.substr(0, kKernelNameLength).c_str());
    current_executor = this;
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        run_queue(lock);
        run_due_timers(lock);
        wait_for_work(lock);
    }
}

void ThreadExecutor::run_queue(std::unique_lock<std::mutex>& lock) {
    if (queue_.empty()) return;
    batch_.swap(queue_);
    lock.unlock();
    std::size_t count = 0;
    for (Closure& closure : batch_) {
        if (stopping_.load(std::memory_order_relaxed)) break;
        closure();
        closure = nullptr;  // what it holds is released before the next one runs
        ++count;
    }
    batch_.clear();
    lock.lock();
    taken_ += count;
}

void ThreadExecutor::run_due_timers(std::unique_lock<std::mutex>& lock) {
    if (timers_.empty()) return;
    const Timestamp now = wall_clock();
    while (!stopping_ && !timers_.empty()) {
        const auto first = timers_.begin();
        if (first->first.first > now || first->second.after > taken_) return;
        Closure closure = std::move(first->second.closure);
        timer_times_.erase(first->first.second);
        timers_.erase(first);
        lock.unlock();
        closure();
        closure = nullptr;
        lock.lock();
    }
}

void ThreadExecutor::wait_for_work(std::unique_lock<std::mutex>& lock) {
    if (stopping_ || !queue_.empty()) return;
    sleeping_ = true;
    if (timers_.empty() || timers_.begin()->first.first == kNever) {
        woken_.wait(lock);
    } else {
        // An absolute deadline on the wall clock: the kernel follows when somebody sets the clock.
        woken_.wait_until(lock, SystemTime(timers_.begin()->first.first.time_since_epoch()));
    }
    sleeping_ = false;
}

}  // namespace stele::env
