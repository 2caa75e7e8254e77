#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace stele::sdk {

/// One thread that calls short functions at their time, of the monotonic clock.
class TimerThread {
public:
    using Clock = std::chrono::steady_clock;
    using Key = std::pair<Clock::time_point, std::uint64_t>;

    TimerThread();
    ~TimerThread();
    TimerThread(const TimerThread&) = delete;

    Key add(Clock::duration delay, std::function<void()> work);
    void remove(const Key& key);

private:
    // Shared with the thread: the owner may be destroyed by what a timer calls.
    struct State {
        std::mutex mutex;
        std::condition_variable wake;
        std::map<Key, std::function<void()>> timers;
        std::uint64_t last_id = 0;
        bool stopping = false;
    };
    static void run(State& state);

    std::shared_ptr<State> state_ = std::make_shared<State>();
    std::thread thread_;
};

}  // namespace stele::sdk
