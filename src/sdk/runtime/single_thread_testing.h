#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "stele/runtime.h"

namespace stele::testing {

/// A runtime without threads and with a virtual clock: work runs when somebody waits, in the order
/// in which it was posted, and time passes only when there is nothing else to do.
class SingleThreadRuntime final : public Runtime {
public:
    Time now() const override { return state_->now; }
    std::uint64_t random() override {
        state_->random = state_->random * 6364136223846793005ull + 1442695040888963407ull;
        return state_->random ^ (state_->random >> 29);
    }
    std::shared_ptr<Executor> make_executor() override { return std::make_shared<Queue>(state_); }
    void run_blocking(std::function<void()> work) override { state_->post(std::move(work)); }
    std::unique_ptr<Timer> start_timer(Milliseconds delay, std::shared_ptr<Executor> executor,
                                       std::function<void()> work) override {
        const auto key = std::pair(state_->now + delay, ++state_->last_timer);
        state_->timers.emplace(key, [executor = std::move(executor), work = std::move(work)] {
            executor->post(work);
        });
        return std::make_unique<Handle>(state_, key);
    }
    std::unique_ptr<Event> make_event() override { return std::make_unique<Flag>(state_); }

    /// What is still due is never done.
    void drop_work() {
        while (!state_->ready.empty() || !state_->timers.empty()) {
            // What goes with it may post and stop timers.
            (void)std::exchange(state_->ready, {});
            (void)std::exchange(state_->timers, {});
        }
    }

private:
    struct State {
        Time now{std::chrono::seconds(1'000'000'000)};
        std::uint64_t random = 42;
        std::uint64_t last_timer = 0;
        std::deque<std::function<void()>> ready;
        std::map<std::pair<Time, std::uint64_t>, std::function<void()>> timers;

        void post(std::function<void()> work) { ready.push_back(std::move(work)); }
        /// One piece of work, or the next timer. False when nothing will ever happen again.
        bool step(Time until) {
            if (!ready.empty()) {
                const auto work = std::move(ready.front());
                ready.pop_front();
                work();
                return true;
            }
            if (timers.empty() || timers.begin()->first.first > until) return false;
            const auto work = std::move(timers.begin()->second);
            now = timers.begin()->first.first;
            timers.erase(timers.begin());
            work();
            return true;
        }
    };

    class Queue final : public Executor {
    public:
        explicit Queue(std::shared_ptr<State> state) : state_(std::move(state)) {}
        void post(std::function<void()> work) override { state_->post(std::move(work)); }

    private:
        std::shared_ptr<State> state_;
    };

    class Handle final : public Timer {
    public:
        Handle(std::shared_ptr<State> state, std::pair<Time, std::uint64_t> key)
            : state_(std::move(state)), key_(key) {}
        ~Handle() override { state_->timers.erase(key_); }

    private:
        std::shared_ptr<State> state_;
        std::pair<Time, std::uint64_t> key_;
    };

    class Flag final : public Event {
    public:
        explicit Flag(std::shared_ptr<State> state) : state_(std::move(state)) {}
        void set() override { set_ = true; }
        void wait() override {
            while (!set_)
                if (!state_->step(Time::max())) throw std::logic_error("waiting for ever");
        }
        bool wait_for(Milliseconds timeout) override {
            const Time until = state_->now + timeout;
            while (!set_ && state_->step(until)) {
            }
            if (!set_) state_->now = std::max(state_->now, until);
            return set_;
        }

    private:
        std::shared_ptr<State> state_;
        bool set_ = false;
    };

    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Drops what nobody waits for any more at the end of a test: such work holds clients, which hold the
/// runtime, and so it would stay for ever. Goes behind the runtime and before all that works on it.
class EndOfTest {
public:
    explicit EndOfTest(std::shared_ptr<SingleThreadRuntime> runtime)
        : runtime_(std::move(runtime)) {}
    ~EndOfTest() { runtime_->drop_work(); }
    EndOfTest(const EndOfTest&) = delete;

private:
    std::shared_ptr<SingleThreadRuntime> runtime_;
};

}  // namespace stele::testing
