#include "sdk/runtime/timer_thread.h"

namespace stele::sdk {

TimerThread::TimerThread() : thread_([state = state_] { run(*state); }) {}

TimerThread::~TimerThread() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    if (thread_.get_id() == std::this_thread::get_id())
        thread_.detach();
    else
        thread_.join();
}

TimerThread::Key TimerThread::add(Clock::duration delay, std::function<void()> work) {
    const std::lock_guard lock(state_->mutex);
    const Key key(Clock::now() + delay, ++state_->last_id);
    state_->timers.emplace(key, std::move(work));
    if (state_->timers.begin()->first == key) state_->wake.notify_one();
    return key;
}

void TimerThread::remove(const Key& key) {
    std::function<void()> removed;  // destroyed outside of the lock
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->timers.find(key);
    if (found == state_->timers.end()) return;
    removed = std::move(found->second);
    state_->timers.erase(found);
}

void TimerThread::run(State& state) {
    std::unique_lock lock(state.mutex);
    while (!state.stopping) {
        if (state.timers.empty()) {
            state.wake.wait(lock);
            continue;
        }
        const Clock::time_point due = state.timers.begin()->first.first;
        if (Clock::now() < due) {
            state.wake.wait_until(lock, due);
            continue;
        }
        std::function<void()> work = std::move(state.timers.begin()->second);
        state.timers.erase(state.timers.begin());
        lock.unlock();
        work();
        work = nullptr;
        lock.lock();
    }
}

}  // namespace stele::sdk
