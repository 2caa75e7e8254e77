#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace stele::sdk {

/// Threads that take work from one queue. With `threads_max` above `threads_min` more are made
/// while all are busy; they stay. The destructor finishes what is queued and joins.
class ThreadPool {
public:
    ThreadPool(int threads_min, int threads_max);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;

    void post(std::function<void()> work);

private:
    void add_thread();
    void run();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    std::vector<std::thread> threads_;
    int threads_max_;
    int idle_ = 0;
    bool stopping_ = false;
};

}  // namespace stele::sdk
