#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "stele/workflow.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// A coroutine template may well be used with a type of an anonymous namespace.
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

// What coroutines of one run use among themselves. Whoever has waited longest goes first, the same in
// every replay.
namespace stele::wf {

/// Lets a number of coroutines at a time into something:
///
///     auto permit = co_await semaphore.acquire();   // given back when it goes out of scope
class semaphore {
    struct State {
        int free;
        std::deque<const void*> waiting;
    };

public:
    /// What is held between acquire() and the end of the scope. Movable.
    class permit {
    public:
        explicit permit(std::shared_ptr<State> state) : state_(std::move(state)) {}
        permit(permit&& other) noexcept : state_(std::move(other.state_)) {}
        permit& operator=(permit&& other) noexcept {
            release();
            state_ = std::move(other.state_);
            return *this;
        }
        ~permit() { release(); }

        void release() {
            if (const auto state = std::exchange(state_, nullptr)) ++state->free;
        }

    private:
        std::shared_ptr<State> state_;
    };

    explicit semaphore(int permits) : state_(std::make_shared<State>(State{permits, {}})) {}

    /// Waits for a permit. Throws CanceledError, without one, when the scope is cancelled first.
    task<permit> acquire() { return acquire_from(state_); }
    int available() const { return state_->free; }

private:
    /// A place in the queue, given up however the wait ends.
    class place {
    public:
        explicit place(State& state) : state_(&state) { state.waiting.push_back(this); }
        place(const place&) = delete;
        ~place() { std::erase(state_->waiting, static_cast<const void*>(this)); }
        bool is_next() const { return state_->free > 0 && state_->waiting.front() == this; }

    private:
        State* state_;
    };

    static task<permit> acquire_from(std::shared_ptr<State> state) {
        place mine(*state);
        auto next = [raw = &mine] { return raw->is_next(); };
        co_await until(next);
        --state->free;
        co_return permit(state);
    }

    std::shared_ptr<State> state_;
};

/// One coroutine at a time.
class mutex : public semaphore {
public:
    mutex() : semaphore(1) {}
};

}  // namespace stele::wf

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
