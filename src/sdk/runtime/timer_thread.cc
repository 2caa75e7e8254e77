#include "sdk/runtime/timer_thread.h"

namespace stele::sdk {

TimerThread::TimerThread() : thread_([this] { run(); }) {}

TimerThread::~TimerThread() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.get_id() == std::this_thread::get_id()) thread_.detach();
    else thread_.join();
}

TimerThread::Key TimerThread::add(Clock::duration delay, std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    const Key key(Clock::now() + delay, ++last_id_);
    timers_.emplace(key, std::move(work));
    if (timers_.begin()->first == key) wake_.notify_one();
    return key;
}

void TimerThread::remove(const Key& key) {
    const std::lock_guard lock(mutex_);
    timers_.erase(key);
}

void TimerThread::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (timers_.empty()) {
            wake_.wait(lock);
            continue;
        }
        const Clock::time_point due = timers_.begin()->first.first;
        if (Clock::now() < due) {
            wake_.wait_until(lock, due);
            continue;
        }
        std::function<void()> work = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        lock.unlock();
        work();
        work = nullptr;
        lock.lock();
    }
}

}  // namespace stele::sdk
