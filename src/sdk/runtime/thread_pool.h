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
    // Shared with the threads: the pool may be destroyed by a piece of its own work.
    struct State {
        std::mutex mutex;
        std::condition_variable wake;
        std::deque<std::function<void()>> queue;
        int idle = 0;
        bool stopping = false;
    };
    static void run(State& state);
    void add_thread();

    std::shared_ptr<State> state_ = std::make_shared<State>();
    std::vector<std::thread> threads_;
    int threads_max_;
};

}  // namespace stele::sdk
