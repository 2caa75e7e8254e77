#include "sdk/runtime/thread_pool.h"

#include <utility>

namespace stele::sdk {

ThreadPool::ThreadPool(int threads_min, int threads_max) : threads_max_(threads_max) {
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < threads_min; ++i) add_thread();
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        // The last owner of the runtime may be a piece of work on one of its own threads.
        if (thread.get_id() == std::this_thread::get_id()) thread.detach();
        else thread.join();
    }
}

void ThreadPool::add_thread() {
    ++idle_;
    threads_.emplace_back([this] { run(); });
}

void ThreadPool::post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    if (static_cast<int>(queue_.size()) > idle_ && static_cast<int>(threads_.size()) < threads_max_)
        add_thread();
    wake_.notify_one();
}

void ThreadPool::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        std::function<void()> work = std::move(queue_.front());
        queue_.pop_front();
        --idle_;
        lock.unlock();
        work();
        work = nullptr;
        lock.lock();
        ++idle_;
    }
}

}  // namespace stele::sdk
