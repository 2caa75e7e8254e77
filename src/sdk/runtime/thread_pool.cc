#include "sdk/runtime/thread_pool.h"

#include <utility>

namespace stele::sdk {

ThreadPool::ThreadPool(int threads_min, int threads_max) : threads_max_(threads_max) {
    const std::lock_guard lock(state_->mutex);
    for (int i = 0; i < threads_min; ++i) add_thread();
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.get_id() == std::this_thread::get_id())
            thread.detach();
        else
            thread.join();
    }
}

void ThreadPool::add_thread() {
    ++state_->idle;
    threads_.emplace_back([state = state_] { run(*state); });
}

void ThreadPool::post(std::function<void()> work) {
    const std::lock_guard lock(state_->mutex);
    state_->queue.push_back(std::move(work));
    if (static_cast<int>(state_->queue.size()) > state_->idle &&
        static_cast<int>(threads_.size()) < threads_max_)
        add_thread();
    state_->wake.notify_one();
}

void ThreadPool::run(State& state) {
    std::unique_lock lock(state.mutex);
    for (;;) {
        state.wake.wait(lock, [&] { return state.stopping || !state.queue.empty(); });
        if (state.queue.empty()) return;
        std::function<void()> work = std::move(state.queue.front());
        state.queue.pop_front();
        --state.idle;
        lock.unlock();
        work();
        work = nullptr;
        lock.lock();
        ++state.idle;
    }
}

}  // namespace stele::sdk
