#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include "stele/detail/operation.h"

// The coroutine type of workflows. A task starts when it is awaited, returns to its caller by
// symmetric transfer and runs on the thread that runs the workflow's activation: no other awaitable
// than the SDK's compiles inside it, so nothing can wait for the outside world unseen.
namespace stele::wf {

template <class T = void>
class task;

/// The typed handle of something that the workflow waits for: an activity, a timer, a condition.
/// Nothing happens before it is awaited. Movable; await it once.
template <class T>
class [[nodiscard]] operation {
public:
    explicit operation(detail::OperationPointer pending) : pending_(std::move(pending)) {}
    operation(operation&&) noexcept = default;
    operation& operator=(operation&&) noexcept = default;
    ~operation() {}  // NOLINT: not an aggregate for any compiler, see docs/adr/0003

    detail::PendingOperation& pending() { return *pending_; }

private:
    detail::OperationPointer pending_;
};

namespace detail {

template <class T>
struct result_of;
template <class T>
struct result_of<task<T>> {
    using type = T;
};
template <class T>
struct result_of<operation<T>> {
    using type = T;
};
/// What awaiting an A gives.
template <class A>
using result_of_t = typename result_of<std::remove_cvref_t<A>>::type;

template <class A>
concept sdk_awaitable = requires { typename result_of_t<A>; };

template <class T>
using value_or_unit = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

struct PromiseBase;

/// Awaits `target` in another cancellation scope than the coroutine's own.
template <class A>
struct in_scope {
    in_scope(A& target_, CancelScope& scope_) : target(&target_), scope(&scope_) {}
    A* target;
    CancelScope* scope;
};

/// Where a coroutine stands: its cancellation scope and its frame.
struct CallSite {
    CancelScope* scope;
    const Frame* frame;
};
/// Gives the coroutine its own, without suspending it.
struct current_site {};

/// Suspends until make_ready() is called with the handle that it stores in `slot`.
struct park {
    explicit park(std::coroutine_handle<>& slot_) : slot(&slot_) {}
    std::coroutine_handle<>* slot;
};

/// Never resumes: the run ends here.
struct park_for_ever {
    park_for_ever() {}
};

struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
        auto continuation = self.promise().continuation;
        return continuation ? continuation : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
};

template <class T>
struct OperationAwaiter {
    PendingOperation* pending;
    CancelScope* scope;

    bool await_ready() const { return pending->start(*scope); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> self) const {
        pending->wait(self, self.promise());
    }
    T await_resume() const {
        const std::optional<Payload>& result = pending->result();
        if constexpr (std::is_void_v<T>) {
            return;
        } else if (result) {
            return decode_value<T>(*result);
        } else {
            return decode_argument<T>({}, 0);
        }
    }
};

template <class T>
struct TaskAwaiter {
    task<T>* child;
    CancelScope* scope;

    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const {
        auto& promise = child->handle().promise();
        promise.scope = scope;
        promise.caller = &self.promise();
        promise.continuation = self;
        return child->handle();
    }
    T await_resume() const { return child->handle().promise().take(); }
};

struct SiteAwaiter {
    CallSite site;
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    CallSite await_resume() const noexcept { return site; }
};

struct ParkAwaiter {
    std::coroutine_handle<>* slot;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) const noexcept { *slot = self; }
    void await_resume() const noexcept {}
};

struct NeverAwaiter {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    [[noreturn]] void await_resume() const noexcept { std::terminate(); }
};

struct PromiseBase : Frame {
    CancelScope* scope = nullptr;
    std::coroutine_handle<> continuation;
    std::exception_ptr error;

    std::suspend_always initial_suspend() const noexcept { return {}; }
    FinalAwaiter final_suspend() const noexcept { return {}; }
    void unhandled_exception() { error = std::current_exception(); }

    template <class U>
    auto await_transform(operation<U>&& target,
                         std::source_location at = std::source_location::current()) {
        where = at;
        return OperationAwaiter<U>{&target.pending(), scope};
    }
    template <class U>
    auto await_transform(operation<U>& target,
                         std::source_location at = std::source_location::current()) {
        where = at;
        return OperationAwaiter<U>{&target.pending(), scope};
    }
    template <class U>
    auto await_transform(task<U>&& child,
                         std::source_location at = std::source_location::current()) {
        where = at;
        return TaskAwaiter<U>{&child, scope};
    }
    template <class U>
    auto await_transform(task<U>& child,
                         std::source_location at = std::source_location::current()) {
        where = at;
        return TaskAwaiter<U>{&child, scope};
    }
    template <class U>
    auto await_transform(in_scope<operation<U>> scoped) {
        return OperationAwaiter<U>{&scoped.target->pending(), scoped.scope};
    }
    template <class U>
    auto await_transform(in_scope<task<U>> scoped) {
        return TaskAwaiter<U>{scoped.target, scoped.scope};
    }
    auto await_transform(current_site) { return SiteAwaiter{{scope, this}}; }
    auto await_transform(park target) { return ParkAwaiter{target.slot}; }
    auto await_transform(park_for_ever) { return NeverAwaiter{}; }

    template <class Foreign>
        requires(!sdk_awaitable<Foreign>)
    std::suspend_never await_transform(Foreign&&) {
        static_assert(!sizeof(Foreign), "a workflow can only await what the Stele SDK offers");
        return {};
    }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;

    task<T> get_return_object() {
        return task<T>(std::coroutine_handle<Promise>::from_promise(*this));
    }
    template <class U>
        requires std::is_convertible_v<U&&, T>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
    void return_value(T result) { value.emplace(std::move(result)); }
    T take() {
        if (error) std::rethrow_exception(error);
        return std::move(*value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    task<void> get_return_object();
    void return_void() const noexcept {}
    void take() const {
        if (error) std::rethrow_exception(error);
    }
};

}  // namespace detail

/// A workflow coroutine, or a part of one. Lazy: it runs when it is awaited. Movable; await it
/// once. Destroying it destroys what it holds; that is what happens when a run leaves the cache.
template <class T>
class [[nodiscard]] task {
public:
    using promise_type = detail::Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    task() noexcept {}
    explicit task(Handle handle) noexcept : handle_(handle) {}
    task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            if (handle_) handle_.destroy();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~task() {
        if (handle_) handle_.destroy();
    }

    Handle handle() const { return handle_; }
    bool done() const { return handle_ && handle_.done(); }

private:
    Handle handle_;
};

namespace detail {

inline task<void> Promise<void>::get_return_object() {
    return task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace detail

}  // namespace stele::wf
