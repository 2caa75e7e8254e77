#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>
#include <utility>

#include "sdk/runtime/thread_pool.h"
#include "sdk/runtime/timer_thread.h"
#include "stele/runtime.h"

namespace stele {

namespace {

/// A queue whose work runs on a pool, one piece at a time: a strand.
class Strand final : public Executor, public std::enable_shared_from_this<Strand> {
public:
    explicit Strand(std::shared_ptr<sdk::ThreadPool> pool) : pool_(std::move(pool)) {}

    void post(std::function<void()> work) override {
        {
            const std::lock_guard lock(mutex_);
            queue_.push_back(std::move(work));
            if (std::exchange(scheduled_, true)) return;
        }
        pool_->post([self = shared_from_this()] { self->run(); });
    }

private:
    // A bounded share, so that one busy queue does not starve the others.
    static constexpr int kShare = 32;

    void run() {
        for (int i = 0; i < kShare; ++i) {
            std::function<void()> work;
            {
                const std::lock_guard lock(mutex_);
                if (queue_.empty()) {
                    scheduled_ = false;
                    return;
                }
                work = std::move(queue_.front());
                queue_.pop_front();
            }
            work();
        }
        pool_->post([self = shared_from_this()] { self->run(); });
    }

    std::shared_ptr<sdk::ThreadPool> pool_;
    std::mutex mutex_;
    std::deque<std::function<void()>> queue_;
    bool scheduled_ = false;
};

class ThreadTimer final : public Runtime::Timer {
public:
    ThreadTimer(std::shared_ptr<sdk::TimerThread> thread, sdk::TimerThread::Key key,
                std::shared_ptr<std::atomic<bool>> cancelled)
        : thread_(std::move(thread)), key_(key), cancelled_(std::move(cancelled)) {}
    ~ThreadTimer() override {
        cancelled_->store(true);
        thread_->remove(key_);
    }

private:
    std::shared_ptr<sdk::TimerThread> thread_;
    sdk::TimerThread::Key key_;
    std::shared_ptr<std::atomic<bool>> cancelled_;
};

class ThreadEvent final : public Runtime::Event {
public:
    void set() override {
        const std::lock_guard lock(mutex_);
        set_ = true;
        changed_.notify_all();
    }
    void wait() override {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return set_; });
    }
    bool wait_for(Milliseconds timeout) override {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, timeout, [&] { return set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool set_ = false;
};

class ThreadRuntime final : public Runtime {
public:
    explicit ThreadRuntime(const ThreadRuntimeOptions& options)
        : pool_(std::make_shared<sdk::ThreadPool>(options.threads > 0 ? options.threads : 2,
                                                  options.threads > 0 ? options.threads : 2)),
          blocking_(std::make_shared<sdk::ThreadPool>(0, options.blocking_threads_max)),
          timers_(std::make_shared<sdk::TimerThread>()),
          generator_(std::random_device{}()) {}

    Time now() const override {
        return std::chrono::time_point_cast<std::chrono::nanoseconds>(
            std::chrono::system_clock::now());
    }
    std::uint64_t random() override {
        const std::lock_guard lock(random_mutex_);
        return generator_();
    }
    std::shared_ptr<Executor> make_executor() override { return std::make_shared<Strand>(pool_); }
    void run_blocking(std::function<void()> work) override { blocking_->post(std::move(work)); }
    std::unique_ptr<Timer> start_timer(Milliseconds delay, std::shared_ptr<Executor> executor,
                                       std::function<void()> work) override {
        auto cancelled = std::make_shared<std::atomic<bool>>(false);
        auto fire = [executor = std::move(executor), work = std::move(work), cancelled] {
            executor->post([work, cancelled] {
                if (!cancelled->load()) work();
            });
        };
        const auto key = timers_->add(delay, std::move(fire));
        return std::make_unique<ThreadTimer>(timers_, key, std::move(cancelled));
    }
    std::unique_ptr<Event> make_event() override { return std::make_unique<ThreadEvent>(); }

private:
    std::shared_ptr<sdk::ThreadPool> pool_;
    std::shared_ptr<sdk::ThreadPool> blocking_;
    std::shared_ptr<sdk::TimerThread> timers_;
    std::mutex random_mutex_;
    std::mt19937_64 generator_;
};

}  // namespace

std::shared_ptr<Runtime> make_thread_runtime(const ThreadRuntimeOptions& options) {
    return std::make_shared<ThreadRuntime>(options);
}

std::shared_ptr<Runtime> default_runtime() {
    // Never destroyed: detached work may still use it while the process ends.
    static const auto* runtime = new std::shared_ptr<Runtime>(make_thread_runtime());
    return *runtime;
}

}  // namespace stele
