#pragma once

#include <array>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "stele/outcome.h"
#include "stele/task.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// A coroutine template may well be used with a type of an anonymous namespace.
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

// Ways to await several things, or one thing differently. All are structured: when a combinator
// returns, nothing that it started is still running.
namespace stele::wf {

/// Awaits something without throwing: errors of the SDK become a part of the value.
template <detail::sdk_awaitable A>
task<outcome<detail::result_of_t<A>>> capture(A target) {
    using T = detail::result_of_t<A>;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await target;
            co_return outcome<T>::success({});
        } else {
            co_return outcome<T>::success(co_await target);
        }
    } catch (const Error&) {
        co_return outcome<T>::failure(std::current_exception());
    }
}

/// Awaits something out of reach of any cancellation: for clean-up.
template <detail::sdk_awaitable A>
task<detail::result_of_t<A>> shielded(A target) {
    detail::CancelScope shield(nullptr);
    detail::in_scope<A> scoped(target, shield);
    co_return co_await scoped;
}

/// Awaits `body`; when that is cancelled, awaits `cleanup` shielded and then rethrows.
template <detail::sdk_awaitable Body, detail::sdk_awaitable Cleanup>
task<detail::result_of_t<Body>> on_cancel(Body body, Cleanup cleanup) {
    auto attempt = capture(std::move(body));
    auto result = co_await attempt;
    if (result.cancelled()) {
        auto shield = shielded(std::move(cleanup));
        (void)co_await capture(std::move(shield));
    }
    co_return result.value();
}

namespace detail {

enum class JoinPolicy { kAllOrFirstError, kFirst };

/// Counts branches down and cancels the rest when the policy says so.
class Join {
public:
    Join(const CallSite& site, JoinPolicy policy, std::size_t branches)
        : scope_(site.scope), caller_(site.frame), policy_(policy), remaining_(branches) {}

    /// The coroutine that waits for the branches.
    const Frame* caller() const { return caller_; }

    CancelScope& scope() { return scope_; }
    bool finished() const { return remaining_ == 0; }
    std::coroutine_handle<>& waiter() { return waiter_; }
    /// The branch that decided: the first to end, or the first to fail.
    std::optional<std::size_t> decisive() const { return decisive_; }

    void branch_finished(std::size_t index, bool failed) {
        if (!decisive_ && (policy_ == JoinPolicy::kFirst || failed)) {
            decisive_ = index;
            scope_.cancel("another branch decided");
        }
        if (--remaining_ == 0 && waiter_) make_ready(waiter_);
    }

private:
    CancelScope scope_;
    const Frame* caller_;
    JoinPolicy policy_;
    std::size_t remaining_;
    std::optional<std::size_t> decisive_;
    std::coroutine_handle<> waiter_;
};

template <class A>
task<void> branch(A target, outcome<result_of_t<A>>* result, Join* join, std::size_t index) {
    using T = result_of_t<A>;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await target;
            *result = outcome<T>::success({});
        } else {
            *result = outcome<T>::success(co_await target);
        }
    } catch (...) {
        *result = outcome<T>::failure(std::current_exception());
    }
    join->branch_finished(index, !result->ok());
}

inline void start_branch(task<void>& started, Join& join) {
    started.handle().promise().scope = &join.scope();
    started.handle().promise().caller = join.caller();
    started.handle().resume();
}

template <class T>
value_or_unit<T> take(outcome<T>& result) {
    if constexpr (std::is_void_v<T>) {
        result.value();
        return {};
    } else {
        return result.value();
    }
}

inline void rethrow_decisive(const Join& join, const std::vector<std::exception_ptr>& errors) {
    if (join.decisive() && errors[*join.decisive()])
        std::rethrow_exception(errors[*join.decisive()]);
}

}  // namespace detail

/// Starts everything in the order of the parameters and waits for all of it. The first failure
/// cancels the rest and is rethrown once the rest has ended.
template <detail::sdk_awaitable... A>
task<std::tuple<detail::value_or_unit<detail::result_of_t<A>>...>> all(A... targets) {
    const detail::CallSite site = co_await detail::current_site();
    detail::Join join(site, detail::JoinPolicy::kAllOrFirstError, sizeof...(A));
    std::tuple<outcome<detail::result_of_t<A>>...> results;
    std::array<task<void>, sizeof...(A)> branches;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((branches[I] = detail::branch(std::move(targets), &std::get<I>(results), &join, I)), ...);
    }(std::index_sequence_for<A...>{});
    for (auto& started : branches) detail::start_branch(started, join);
    if (!join.finished()) co_await detail::park(join.waiter());
    std::vector<std::exception_ptr> errors;
    std::apply([&](auto&... result) { (errors.push_back(result.exception()), ...); }, results);
    detail::rethrow_decisive(join, errors);
    co_return std::apply(
        [](auto&... result) {
            return std::tuple<detail::value_or_unit<detail::result_of_t<A>>...>(
                detail::take(result)...);
        },
        results);
}

/// The same for any number of things of one type; results come in the order of the arguments.
template <detail::sdk_awaitable A>
task<std::vector<detail::value_or_unit<detail::result_of_t<A>>>> all(std::vector<A> targets) {
    const detail::CallSite site = co_await detail::current_site();
    detail::Join join(site, detail::JoinPolicy::kAllOrFirstError, targets.size());
    std::vector<outcome<detail::result_of_t<A>>> results(targets.size());
    std::vector<task<void>> branches;
    for (std::size_t i = 0; i < targets.size(); ++i)
        branches.push_back(detail::branch(std::move(targets[i]), &results[i], &join, i));
    for (auto& started : branches) detail::start_branch(started, join);
    if (!join.finished()) co_await detail::park(join.waiter());
    std::vector<std::exception_ptr> errors;
    for (auto& result : results) errors.push_back(result.exception());
    detail::rethrow_decisive(join, errors);
    std::vector<detail::value_or_unit<detail::result_of_t<A>>> values;
    for (auto& result : results) values.push_back(detail::take(result));
    co_return values;
}

/// Starts everything in the order of the parameters; the first to end decides, the others are
/// cancelled. `index()` of the variant tells which it was. Throws when that one failed.
template <detail::sdk_awaitable... A>
task<std::variant<detail::value_or_unit<detail::result_of_t<A>>...>> any(A... targets) {
    using Result = std::variant<detail::value_or_unit<detail::result_of_t<A>>...>;
    const detail::CallSite site = co_await detail::current_site();
    detail::Join join(site, detail::JoinPolicy::kFirst, sizeof...(A));
    std::tuple<outcome<detail::result_of_t<A>>...> results;
    std::array<task<void>, sizeof...(A)> branches;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((branches[I] = detail::branch(std::move(targets), &std::get<I>(results), &join, I)), ...);
    }(std::index_sequence_for<A...>{});
    for (auto& started : branches) detail::start_branch(started, join);
    if (!join.finished()) co_await detail::park(join.waiter());
    std::optional<Result> chosen;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        ((I == *join.decisive()
              ? (void)chosen.emplace(std::in_place_index<I>, detail::take(std::get<I>(results)))
              : void()),
         ...);
    }(std::index_sequence_for<A...>{});
    co_return std::move(*chosen);
}

}  // namespace stele::wf

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
