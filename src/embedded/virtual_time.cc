#include "embedded/virtual_time.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "env/env.h"
#include "env/sim/sim_random.h"
#include "sdk/runtime/thread_pool.h"
#include "stele/errors.h"

namespace stele::embedded {

namespace {

constexpr int kBlockingThreadsMax = 10'000;

/// True on the threads that VirtualTime has made for work that may block.
thread_local bool on_blocking_thread = false;

}  // namespace

class VirtualTime::World : public std::enable_shared_from_this<World> {
public:
    /// What work belongs to; it ends with it.
    struct Strand {
        bool stopped = false;
    };
    using StrandPointer = std::shared_ptr<Strand>;

    /// A thread that waits for an event.
    struct Waiter {
        std::condition_variable wake;
        bool from_outside = true;
        bool released = false;
        bool in_vain = false;
    };

    explicit World(const Options& options)
        : horizon_(Timestamp(options.start.time_since_epoch()) + options.horizon),
          now_(Timestamp(options.start.time_since_epoch())),
          loop_random_(stream_of(options.seed, 1)),
          blocking_random_(stream_of(options.seed, 2)),
          outside_random_(stream_of(options.seed, 3)),
          blocking_(0, kBlockingThreadsMax) {}

    void start() {
        const std::lock_guard lock(mutex_);
        thread_ = std::thread([this] { run(); });
    }

    void shut_down() {
        std::deque<Work> queue;
        std::map<TimerKey, Work> timers;
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
            queue = std::exchange(queue_, {});
            timers = std::exchange(timers_, {});
            timer_times_.clear();
            give_up(true);
            changed_.notify_all();
        }
        thread_.join();
    }

    Timestamp now() const {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    std::uint64_t random() {
        const std::lock_guard lock(mutex_);
        return stream().next();
    }
    std::string secret_bytes(std::size_t count) {
        const std::lock_guard lock(mutex_);
        return stream().secret_bytes(count);
    }

    void post(const StrandPointer& strand, env::Closure closure) {
        const std::lock_guard lock(mutex_);
        if (ending_ || strand->stopped) return;
        queue_.push_back({strand, std::move(closure)});
        changed_.notify_all();
    }

    env::TimerId run_at(const StrandPointer& strand, Timestamp when, env::Closure closure) {
        const std::lock_guard lock(mutex_);
        return add_timer(strand, when, std::move(closure));
    }
    env::TimerId run_after(const StrandPointer& strand, Duration delay, env::Closure closure) {
        const std::lock_guard lock(mutex_);
        return add_timer(strand, now_ + delay, std::move(closure));
    }
    void cancel(env::TimerId id) {
        Work dropped;
        const std::lock_guard lock(mutex_);
        dropped = take_timer(id);
        // Destroyed behind the lock's end, being declared before it.
    }

    bool is_current(const StrandPointer& strand) const {
        const std::lock_guard lock(mutex_);
        return running_ == strand && std::this_thread::get_id() == thread_.get_id();
    }

    void stop(const StrandPointer& strand) {
        std::vector<Work> dropped;
        std::unique_lock lock(mutex_);
        strand->stopped = true;
        std::erase_if(queue_, [&](Work& work) {
            if (work.strand != strand) return false;
            dropped.push_back(std::move(work));
            return true;
        });
        for (auto timer = timers_.begin(); timer != timers_.end();) {
            if (timer->second.strand == strand) {
                dropped.push_back(std::move(timer->second));
                timer_times_.erase(timer->first.second);
                timer = timers_.erase(timer);
            } else {
                ++timer;
            }
        }
        turned_.wait(lock, [&] { return running_ != strand; });
        lock.unlock();
    }

    void run_blocking(std::function<void()> work) {
        {
            const std::lock_guard lock(mutex_);
            if (ending_) return;
            ++busy_threads_;
        }
        blocking_.post([self = shared_from_this(), work = std::move(work)]() mutable {
            on_blocking_thread = true;
            work();
            work = nullptr;
            const std::lock_guard lock(self->mutex_);
            --self->busy_threads_;
            self->changed_.notify_all();
        });
    }

    /// The lock of all events.
    std::mutex& mutex() { return mutex_; }

    void wait(std::unique_lock<std::mutex>& lock, Waiter& waiter) {
        waiter.from_outside = !on_blocking_thread;
        ++(waiter.from_outside ? waiting_outside_ : waiting_inside_);
        if (!waiter.from_outside) --busy_threads_;
        waiters_.push_back(&waiter);
        changed_.notify_all();
        waiter.wake.wait(lock, [&] { return waiter.released || waiter.in_vain; });
        if (waiter.in_vain && !waiter.released)
            throw Error(
                "this will never come: nothing is due any more before the horizon of the test "
                "environment. Does a workflow wait for a signal that nobody sends, or has no "
                "worker "
                "been started?");
    }
    /// The thread goes on: from now on it counts as running, though it may not have noticed yet.
    void release(Waiter& waiter) {
        if (std::exchange(waiter.released, true)) return;
        forget(waiter);
        waiter.wake.notify_all();
    }

private:
    struct Work {
        StrandPointer strand;
        env::Closure closure;
    };
    using TimerKey = std::pair<Timestamp, env::TimerId>;

    static std::uint64_t stream_of(std::uint64_t seed, std::uint64_t number) {
        return env::SimRandom::finalize(seed ^ env::SimRandom::finalize(number));
    }
    /// Threads draw from streams of their own, so that a test with one thread gets the same numbers
    /// in every run, whatever else is going on meanwhile.
    env::SimRandom& stream() {
        if (std::this_thread::get_id() == thread_.get_id()) return loop_random_;
        return on_blocking_thread ? blocking_random_ : outside_random_;
    }

    env::TimerId add_timer(const StrandPointer& strand, Timestamp when, env::Closure closure) {
        const env::TimerId id = ++last_timer_;
        if (ending_ || strand->stopped) return id;
        timers_.emplace(TimerKey(when, id), Work{strand, std::move(closure)});
        timer_times_.emplace(id, when);
        changed_.notify_all();
        return id;
    }
    Work take_timer(env::TimerId id) {
        const auto time = timer_times_.find(id);
        if (time == timer_times_.end()) return {};
        const auto timer = timers_.find({time->second, id});
        timer_times_.erase(time);
        Work work = std::move(timer->second);
        timers_.erase(timer);
        return work;
    }

    void forget(Waiter& waiter) {
        --(waiter.from_outside ? waiting_outside_ : waiting_inside_);
        if (!waiter.from_outside) ++busy_threads_;
        waiters_.remove(&waiter);
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (!ending_) {
            if (!queue_.empty()) {
                Work work = std::move(queue_.front());
                queue_.pop_front();
                run_one(lock, std::move(work));
            } else if (!timers_.empty() && timers_.begin()->first.first <= now_) {
                run_one(lock, take_timer(timers_.begin()->first.second));
            } else if (waiting_outside_ > 0 && busy_threads_ == 0) {
                let_time_pass();
            } else {
                changed_.wait(lock);
            }
        }
    }

    void run_one(std::unique_lock<std::mutex>& lock, Work work) {
        running_ = work.strand;
        lock.unlock();
        work.closure();
        work.closure = nullptr;  // what it holds dies while it still counts as running
        lock.lock();
        running_.reset();
        turned_.notify_all();
    }

    void let_time_pass() {
        if (!timers_.empty() && timers_.begin()->first.first < horizon_) {
            now_ = timers_.begin()->first.first;
            return;
        }
        give_up(false);
    }

    /// Tells those who wait that they do so in vain.
    void give_up(bool inside_too) {
        for (Waiter* waiter : std::list<Waiter*>(waiters_)) {
            if (!waiter->from_outside && !inside_too) continue;
            waiter->in_vain = true;
            forget(*waiter);
            waiter->wake.notify_all();
        }
    }

    const Timestamp horizon_;
    mutable std::mutex mutex_;  // guards everything below but the pool
    std::condition_variable changed_;
    std::condition_variable turned_;
    Timestamp now_;
    env::SimRandom loop_random_;
    env::SimRandom blocking_random_;
    env::SimRandom outside_random_;
    std::deque<Work> queue_;
    std::map<TimerKey, Work> timers_;
    std::map<env::TimerId, Timestamp> timer_times_;
    env::TimerId last_timer_ = 0;
    StrandPointer running_;
    std::list<Waiter*> waiters_;
    int waiting_outside_ = 0;
    int waiting_inside_ = 0;
    int busy_threads_ = 0;  // of the pool, or on their way to it
    bool ending_ = false;
    std::thread thread_;
    sdk::ThreadPool blocking_;
};

namespace {

/// A copyable function as a closure.
env::Closure to_closure(std::function<void()> work) {
    return [work = std::move(work)] { work(); };
}

}  // namespace

namespace {

/// What the engine sees.
template <class World>
class VirtualEnv final : public env::Env {
public:
    explicit VirtualEnv(std::shared_ptr<World> world) : random_(*world), world_(std::move(world)) {}

    Timestamp now() override { return world_->now(); }
    env::Random& random() override { return random_; }
    std::unique_ptr<env::Executor> make_executor(std::string) override {
        return std::make_unique<VirtualExecutor>(world_);
    }
    std::unique_ptr<env::Executor> make_blocking_executor(std::string name) override {
        return make_executor(std::move(name));
    }

private:
    class VirtualRandom final : public env::Random {
    public:
        explicit VirtualRandom(World& world) : world_(world) {}
        std::uint64_t next() override { return world_.random(); }
        std::string secret_bytes(std::size_t count) override { return world_.secret_bytes(count); }

    private:
        World& world_;
    };

    class VirtualExecutor final : public env::Executor {
    public:
        explicit VirtualExecutor(std::shared_ptr<World> world) : world_(std::move(world)) {}
        ~VirtualExecutor() override { stop(); }
        void post(env::Closure closure) override { world_->post(strand_, std::move(closure)); }
        env::TimerId run_at(Timestamp when, env::Closure closure) override {
            return world_->run_at(strand_, when, std::move(closure));
        }
        void cancel(env::TimerId timer) override { world_->cancel(timer); }
        bool is_current() const override { return world_->is_current(strand_); }
        void stop() override { world_->stop(strand_); }

    private:
        std::shared_ptr<World> world_;
        typename World::StrandPointer strand_ = std::make_shared<typename World::Strand>();
    };

    VirtualRandom random_;
    std::shared_ptr<World> world_;
};

/// What clients and workers see.
template <class World>
class VirtualRuntime final : public Runtime {
public:
    explicit VirtualRuntime(std::shared_ptr<World> world) : world_(std::move(world)) {}

    Time now() const override { return Time(world_->now().time_since_epoch()); }
    std::uint64_t random() override { return world_->random(); }
    std::shared_ptr<Executor> make_executor() override { return std::make_shared<Queue>(world_); }
    void run_blocking(std::function<void()> work) override {
        world_->run_blocking(std::move(work));
    }
    std::unique_ptr<Timer> start_timer(Milliseconds delay, std::shared_ptr<Executor> executor,
                                       std::function<void()> work) override {
        const auto cancelled = std::make_shared<std::atomic<bool>>(false);
        const env::TimerId id = world_->run_after(
            timers_, delay,
            to_closure([executor = std::move(executor), work = std::move(work), cancelled] {
                executor->post([work, cancelled] {
                    if (!cancelled->load()) work();
                });
            }));
        return std::make_unique<Handle>(world_, id, cancelled);
    }
    std::unique_ptr<Event> make_event() override { return std::make_unique<Flag>(world_); }

private:
    class Queue final : public Executor {
    public:
        explicit Queue(std::shared_ptr<World> world) : world_(std::move(world)) {}
        void post(std::function<void()> work) override {
            world_->post(strand_, to_closure(std::move(work)));
        }

    private:
        std::shared_ptr<World> world_;
        typename World::StrandPointer strand_ = std::make_shared<typename World::Strand>();
    };

    class Handle final : public Timer {
    public:
        Handle(std::shared_ptr<World> world, env::TimerId id,
               std::shared_ptr<std::atomic<bool>> cancelled)
            : world_(std::move(world)), id_(id), cancelled_(std::move(cancelled)) {}
        ~Handle() override {
            cancelled_->store(true);
            world_->cancel(id_);
        }

    private:
        std::shared_ptr<World> world_;
        env::TimerId id_;
        std::shared_ptr<std::atomic<bool>> cancelled_;
    };

    class Flag final : public Event {
    public:
        explicit Flag(std::shared_ptr<World> world) : state_(std::make_shared<State>()) {
            state_->world = std::move(world);
        }
        void set() override {
            const std::lock_guard lock(state_->world->mutex());
            state_->set = true;
            state_->release();
        }
        void wait() override {
            std::unique_lock lock(state_->world->mutex());
            while (!state_->set) state_->wait(lock);
        }
        bool wait_for(Milliseconds timeout) override {
            const auto expired = std::make_shared<bool>(false);
            const env::TimerId timer =
                state_->world->run_after(std::make_shared<typename World::Strand>(), timeout,
                                         to_closure([state = state_, expired] {
                                             const std::lock_guard lock(state->world->mutex());
                                             *expired = true;
                                             state->release();
                                         }));
            bool set = false;
            {
                std::unique_lock lock(state_->world->mutex());
                while (!state_->set && !*expired) state_->wait(lock);
                set = state_->set;
            }
            state_->world->cancel(timer);
            return set;
        }

    private:
        struct State {
            std::shared_ptr<World> world;
            bool set = false;
            std::list<typename World::Waiter*> waiters;

            void wait(std::unique_lock<std::mutex>& lock) {
                typename World::Waiter waiter;
                waiters.push_back(&waiter);
                // The waiter lives on this stack: whether it was released or not, it must go.
                const auto remove = [&waiter](State* state) { state->waiters.remove(&waiter); };
                const std::unique_ptr<State, decltype(remove)> guard(this, remove);
                world->wait(lock, waiter);
            }
            void release() {
                for (auto* waiter : waiters) world->release(*waiter);
            }
        };
        std::shared_ptr<State> state_;
    };

    std::shared_ptr<World> world_;
    typename World::StrandPointer timers_ = std::make_shared<typename World::Strand>();
};

}  // namespace

VirtualTime::VirtualTime(const Options& options)
    : world_(std::make_shared<World>(options)),
      env_(std::make_shared<VirtualEnv<World>>(world_)),
      runtime_(std::make_shared<VirtualRuntime<World>>(world_)) {
    world_->start();
}

VirtualTime::~VirtualTime() { world_->shut_down(); }

}  // namespace stele::embedded
