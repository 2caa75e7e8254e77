#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "stele/combinators.h"
#include "stele/function_traits.h"
#include "stele/log.h"
#include "stele/options.h"
#include "stele/search_attributes.h"
#include "stele/task.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// A coroutine template may well be used with a type of an anonymous namespace.
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

// What workflow code may do. A workflow is a coroutine, a function or a member function of a class,
// that returns wf::task<T>:
//
//     wf::task<std::string> greet(std::string name) {
//         co_await wf::sleep(1s);
//         co_return co_await wf::activity<compose>(name, {.start_to_close = 10s});
//     }
//
// Everything here may be called from workflow code only; elsewhere it throws IllegalCallError. A
// run is never entered by two threads at a time, so workflow code needs no locks. How a workflow hears
// of signals, queries and updates stands in messages.h.
namespace stele::wf {

namespace detail {

#if defined(__GNUC__) && !defined(__clang__)
inline constexpr bool kCompilerMisplacesTemporaries = true;
#else
inline constexpr bool kCompilerMisplacesTemporaries = false;
#endif

/// True for an argument expression that g++ would destroy twice inside a co_await.
template <class U>
inline constexpr bool is_unsafe_temporary =
    kCompilerMisplacesTemporaries && !std::is_lvalue_reference_v<U> &&
    std::is_aggregate_v<std::remove_cvref_t<U>> &&
    !std::is_trivially_destructible_v<std::remove_cvref_t<U>>;

/// A parameter of type T that is encoded before the call returns, so that an lvalue is not copied.
template <class T>
class argument {
public:
    template <class U>
        requires(!std::is_same_v<std::remove_cvref_t<U>, argument> &&
                 std::is_convertible_v<U &&, T>)
    argument(U&& value) {  // NOLINT: implicit, it stands for the parameter itself
        static_assert(!is_unsafe_temporary<U>,
                      "g++ miscompiles struct literals inside co_await expressions: give the value "
                      "a name first (docs/adr/0003)");
        if constexpr (std::is_same_v<std::remove_cvref_t<U>, T>) {
            value_ = &value;
        } else {
            owned_.emplace(std::forward<U>(value));
            value_ = &*owned_;
        }
    }
    argument(const argument&) = delete;

    Payload encode() const { return encode_value<T>(*value_); }

private:
    std::optional<T> owned_;
    const T* value_ = nullptr;
};

template <class... U>
Payloads encode_call(U&&... values) {
    static_assert(!(is_unsafe_temporary<U> || ...),
                  "g++ miscompiles struct literals inside co_await expressions: give the value a "
                  "name first (docs/adr/0003)");
    return encode_arguments(values...);
}

template <auto Fn, class Arguments = typename stele::detail::signature_for<Fn>::arguments>
struct ActivityCall;

template <auto Fn, class... A>
struct ActivityCall<Fn, std::tuple<A...>> {
    using Result = typename stele::detail::signature_for<Fn>::result;
    operation<Result> operator()(const argument<A>&... arguments,
                                 const ActivityOptions& options) const {
        Payloads input;
        (input.push_back(arguments.encode()), ...);
        return operation<Result>(make_activity(activity_name<Fn>, std::move(input), options));
    }
};

template <auto Fn, class Arguments = typename stele::detail::signature_for<Fn>::arguments>
struct LocalActivityCall;

template <auto Fn, class... A>
struct LocalActivityCall<Fn, std::tuple<A...>> {
    using Result = typename stele::detail::signature_for<Fn>::result;
    operation<Result> operator()(const argument<A>&... arguments,
                                 const LocalActivityOptions& options) const {
        Payloads input;
        (input.push_back(arguments.encode()), ...);
        return operation<Result>(make_local_activity(activity_name<Fn>, std::move(input), options));
    }
};

template <auto Fn, class Arguments = typename stele::detail::signature_for<Fn>::arguments>
struct ContinueCall;

template <auto Fn, class... A>
struct ContinueCall<Fn, std::tuple<A...>> {
    park_for_ever operator()(const argument<A>&... arguments,
                             const ContinueAsNewOptions& options = {}) const {
        Payloads input;
        (input.push_back(arguments.encode()), ...);
        issue_continue_as_new(workflow_name<Fn>, std::move(input), options);
        return {};
    }
};

}  // namespace detail

/// Calls an activity: `co_await wf::activity<charge>(order, {.start_to_close = 10s})`.
/// Throws ActivityError when it fails for good, CanceledError when the workflow is cancelled.
template <auto Fn>
inline constexpr detail::ActivityCall<Fn> activity{};

/// Calls an activity that is known by its name alone, such as one written in another language.
template <class R = void, class... A>
operation<R> activity_by_name(std::string_view type, const ActivityOptions& options,
                              A&&... arguments) {
    return operation<R>(
        detail::make_activity(type, detail::encode_call(std::forward<A>(arguments)...), options));
}

/// Calls an activity in the worker's own process, while the workflow task is under way: much cheaper
/// than an activity, for work of some seconds at most. It may run again when the worker fails before
/// its result is recorded. Throws like an activity.
template <auto Fn>
inline constexpr detail::LocalActivityCall<Fn> local_activity{};

template <class R = void, class... A>
operation<R> local_activity_by_name(std::string_view type, const LocalActivityOptions& options,
                                    A&&... arguments) {
    return operation<R>(detail::make_local_activity(
        type, detail::encode_call(std::forward<A>(arguments)...), options));
}

/// A durable timer. Zero or less is over at once.
inline operation<void> sleep(Milliseconds duration, const TimerOptions& options = {}) {
    return operation<void>(detail::make_timer(duration, options));
}

/// Waits until the predicate holds. It is evaluated whenever the workflow's state may have changed
/// and must do nothing but look.
template <class Predicate>
operation<void> until(Predicate&& predicate) {
    static_assert(!detail::kCompilerMisplacesTemporaries || std::is_lvalue_reference_v<Predicate> ||
                      std::is_trivially_destructible_v<Predicate>,
                  "g++ miscompiles lambdas that capture strings and the like inside co_await "
                  "expressions: give the lambda a name first (docs/adr/0003)");
    return operation<void>(
        detail::make_condition(std::forward<Predicate>(predicate), std::nullopt));
}

/// The same with a timeout: true when the predicate held, false when the time was over.
template <class Predicate>
operation<bool> until(Predicate&& predicate, Milliseconds timeout) {
    static_assert(!detail::kCompilerMisplacesTemporaries || std::is_lvalue_reference_v<Predicate> ||
                      std::is_trivially_destructible_v<Predicate>,
                  "g++ miscompiles lambdas that capture strings and the like inside co_await "
                  "expressions: give the lambda a name first (docs/adr/0003)");
    return operation<bool>(detail::make_condition(std::forward<Predicate>(predicate), timeout));
}

/// Ends this run and starts the next one of the same workflow id with a fresh history:
/// `co_await wf::continue_as_new<buy>(next)`. Never resumes.
template <auto Fn>
inline constexpr detail::ContinueCall<Fn> continue_as_new{};

/// The same for a workflow type that is known by its name alone.
template <class... A>
detail::park_for_ever continue_as_new_by_name(std::string_view type,
                                              const ContinueAsNewOptions& options,
                                              A&&... arguments) {
    detail::issue_continue_as_new(type, detail::encode_call(std::forward<A>(arguments)...),
                                  options);
    return {};
}

/// Another workflow, in whatever language it is written, known by its id. Without a run id the
/// current run is meant.
class external_workflow {
public:
    explicit external_workflow(std::string workflow_id, std::string run_id = {})
        : workflow_id_(std::move(workflow_id)), run_id_(std::move(run_id)) {}

    /// Ends when the signal is recorded there; throws ApplicationError when there is no such run.
    template <class... A>
    operation<void> signal(std::string_view name, A&&... arguments) const {
        return operation<void>(detail::make_external_signal(
            workflow_id_, run_id_, name, detail::encode_call(std::forward<A>(arguments)...)));
    }
    template <auto Handler, class... A>
    operation<void> signal(A&&... arguments) const {
        return signal(handler_name<Handler>, std::forward<A>(arguments)...);
    }
    operation<void> cancel(std::string_view reason = {}) const {
        return operation<void>(detail::make_external_cancel(workflow_id_, run_id_, reason));
    }

private:
    std::string workflow_id_;
    std::string run_id_;
};

/// A child that has been started. Cheap to copy.
template <class R>
class child_handle {
public:
    child_handle(std::shared_ptr<detail::Child> child, std::string run_id)
        : child_(std::move(child)), run_id_(std::move(run_id)) {}
    const std::string& workflow_id() const { return detail::child_workflow_id(*child_); }
    const std::string& run_id() const { return run_id_; }

    /// Waits for its end; throws ChildWorkflowError when there is no result. Await it once.
    operation<R> result() const { return operation<R>(detail::make_child_result(child_)); }
    template <class... A>
    operation<void> signal(std::string_view name, A&&... arguments) const {
        return external_workflow(workflow_id()).signal(name, std::forward<A>(arguments)...);
    }
    template <auto Handler, class... A>
    operation<void> signal(A&&... arguments) const {
        return signal(handler_name<Handler>, std::forward<A>(arguments)...);
    }

private:
    std::shared_ptr<detail::Child> child_;
    std::string run_id_;
};

namespace detail {

template <class R>
task<child_handle<R>> await_child_start(std::shared_ptr<Child> child) {
    operation<std::string> start(make_child_start(child));
    std::string run_id = co_await start;
    co_return child_handle<R>(std::move(child), std::move(run_id));
}

template <class R>
task<R> await_child(std::shared_ptr<Child> child) {
    auto start = await_child_start<R>(std::move(child));
    child_handle<R> handle = co_await start;
    auto result = handle.result();
    co_return co_await result;
}

template <auto Fn, class Arguments = typename stele::detail::signature_for<Fn>::arguments>
struct ChildCall;

template <auto Fn, class... A>
struct ChildCall<Fn, std::tuple<A...>> {
    using Result = typename stele::detail::signature_for<Fn>::result;
    task<Result> operator()(const argument<A>&... arguments,
                            const ChildOptions& options = {}) const {
        Payloads input;
        (input.push_back(arguments.encode()), ...);
        return await_child<Result>(make_child(workflow_name<Fn>, std::move(input), options));
    }
};

template <auto Fn, class Arguments = typename stele::detail::signature_for<Fn>::arguments>
struct StartChildCall;

template <auto Fn, class... A>
struct StartChildCall<Fn, std::tuple<A...>> {
    using Result = typename stele::detail::signature_for<Fn>::result;
    task<child_handle<Result>> operator()(const argument<A>&... arguments,
                                          const ChildOptions& options = {}) const {
        Payloads input;
        (input.push_back(arguments.encode()), ...);
        return await_child_start<Result>(make_child(workflow_name<Fn>, std::move(input), options));
    }
};

}  // namespace detail

/// Runs a workflow as a child and waits for its result: `co_await wf::child<ship>(order)`.
/// Throws ChildWorkflowError when it fails.
template <auto Fn>
inline constexpr detail::ChildCall<Fn> child{};

/// Starts a child and gives its handle as soon as it runs.
template <auto Fn>
inline constexpr detail::StartChildCall<Fn> start_child{};

/// The same for a workflow type that is known by its name alone.
template <class R = void, class... A>
task<R> child_by_name(std::string_view type, const ChildOptions& options, A&&... arguments) {
    return detail::await_child<R>(
        detail::make_child(type, detail::encode_call(std::forward<A>(arguments)...), options));
}
template <class R = void, class... A>
task<child_handle<R>> start_child_by_name(std::string_view type, const ChildOptions& options,
                                          A&&... arguments) {
    return detail::await_child_start<R>(
        detail::make_child(type, detail::encode_call(std::forward<A>(arguments)...), options));
}

/// Makes this run findable by what it is about. Values come from stele::search_attribute.
inline void upsert_search_attributes(std::vector<std::pair<std::string, Payload>> attributes) {
    detail::issue_upsert_search_attributes(std::move(attributes));
}
/// Changes single fields of this run's memo. Values are made with encode_value(); a null removes.
inline void upsert_memo(std::vector<std::pair<std::string, Payload>> fields) {
    detail::issue_upsert_memo(std::move(fields));
}

namespace detail {
std::optional<Payload> last_result_payload();
}

/// The result of the run before this one, of a workflow that cron repeats: where it left off. Empty
/// when there was none.
template <class T>
std::optional<T> last_result() {
    const std::optional<Payload> payload = detail::last_result_payload();
    if (!payload) return std::nullopt;
    return decode_value<T>(*payload);
}
/// Why the run before this one failed, of a workflow that is retried or repeated by cron. Null when
/// it did not.
std::shared_ptr<const FailureError> last_failure();

/// A point of time as the workflow sees it: that of the workflow task that is being worked on.
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

/// What makes a run the next one of a chain.
enum class Continuation {
    kNone = 0,
    kContinueAsNew = 1,
    kRetry = 2,
    kCron = 3,
};

/// Why the server would like a run to continue as new.
enum class ContinueAsNewReason {
    kUnspecified = 0,
    kHistoryBytes = 1,   ///< Its history has grown too large,
    kHistoryEvents = 2,  ///< or too long,
    kUpdates = 3,        ///< or has too many updates.
};

struct Info {
    std::string workflow_id;
    std::string run_id;
    std::string first_run_id;
    std::string workflow_type;
    std::string namespace_name;
    std::string task_queue;
    std::int32_t attempt = 1;
    Time start_time;
    /// Empty where there is none.
    std::string continued_from_run_id;
    /// Why this run goes on from another one.
    Continuation continuation = Continuation::kNone;
    std::string parent_workflow_id;
    std::string parent_run_id;
    std::string root_workflow_id;
    std::string cron_schedule;
    Milliseconds run_timeout{0};
    Milliseconds execution_timeout{0};
    Milliseconds task_timeout{0};
    std::int64_t history_length = 0;
    std::int64_t history_bytes = 0;
    /// The server would like a fresh history.
    bool continue_as_new_suggested = false;
    /// Empty while it would not, and from servers that give no reasons.
    std::vector<ContinueAsNewReason> continue_as_new_reasons;
    /// The run is pinned to a build, and new workflows go to another one by now.
    bool target_version_changed = false;
    /// The build that works on the workflow task at hand; in replay the one that did. Nothing where the
    /// worker did not say which it was.
    std::optional<DeploymentVersion> deployment_version;
    /// As they are now, with what this run has upserted.
    PayloadFields memo;
    PayloadFields search_attributes;
    /// What travelled beside the arguments of the start.
    PayloadFields headers;
};

const Info& info();
/// What this run is at, for people: the web page and the command line show it. Costs no event.
void set_current_details(std::string text);
Time now();
/// True while the past is being repeated; for logging, never for decisions.
bool is_replaying();
/// Writes to the client's logger, with the ids of the run. Says nothing while the past is repeated.
void log(LogLevel level, std::string_view message);
/// True once somebody has asked to cancel this workflow.
bool cancel_requested();

/// Deterministic: the same in every replay, different in every run.
std::uint64_t random();
/// Uniform in [low, high].
std::int64_t random_between(std::int64_t low, std::int64_t high);
/// Uniform in [0, 1).
double random_unit();
/// A version 4 UUID from the same source.
std::string uuid();

/// Whether this run goes the new way of a change. Runs that passed here before the change stay
/// with the old way; all others take the new one for their whole life.
bool patched(std::string_view id);
/// Keeps runs that recorded the patch replayable after the old way has been removed.
void deprecate_patch(std::string_view id);

}  // namespace stele::wf

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
