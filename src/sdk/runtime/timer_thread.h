#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
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
    void run();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::map<Key, std::function<void()>> timers_;
    std::uint64_t last_id_ = 0;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace stele::sdk
