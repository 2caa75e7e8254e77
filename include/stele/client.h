#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stele/data_converter.h"
#include "stele/errors.h"
#include "stele/function_traits.h"
#include "stele/options.h"
#include "stele/runtime.h"
#include "stele/transport.h"

namespace stele {

namespace sdk {
class ClientCore;
}

struct ClientOptions {
    std::string address = "127.0.0.1:7233";
    std::string namespace_name = "default";
    /// Who this process is, for histories and pollers; empty means process id at host name.
    std::string identity = {};
    /// Sent as a bearer token.
    std::string api_key = {};
    bool use_tls = false;
    TlsOptions tls = {};
    DataConverter data_converter = {};
    /// Connect on the first call instead of in connect().
    bool lazy = false;
    /// Both may be replaced, for tests, simulation and embedding.
    std::shared_ptr<Runtime> runtime = {};
    std::shared_ptr<Transport> transport = {};
};

enum class IdConflictPolicy {
    kUnspecified = 0,
    kFail = 1,
    kUseExisting = 2,
    kTerminateExisting = 3
};

struct StartOptions {
    /// Empty means a new UUID.
    std::string id = {};
    std::string task_queue = {};
    Milliseconds execution_timeout{0};
    Milliseconds run_timeout{0};
    Milliseconds task_timeout{0};
    IdReusePolicy id_reuse = IdReusePolicy::kUnspecified;
    IdConflictPolicy id_conflict = IdConflictPolicy::kUnspecified;
    std::optional<RetryPolicy> retry = {};
    std::string cron_schedule = {};
    Milliseconds start_delay{0};
    /// Values made with encode_value().
    std::map<std::string, Payload> memo = {};
    std::map<std::string, Payload> search_attributes = {};
    /// For people, shown by the command line and the web page.
    std::string static_summary = {};
    std::string static_details = {};
};

enum class WorkflowStatus {
    kUnspecified = 0,
    kRunning = 1,
    kCompleted = 2,
    kFailed = 3,
    kCanceled = 4,
    kTerminated = 5,
    kContinuedAsNew = 6,
    kTimedOut = 7,
    kPaused = 8,
};

struct WorkflowDescription {
    std::string workflow_id;
    std::string run_id;
    std::string first_run_id;
    std::string type;
    std::string task_queue;
    WorkflowStatus status = WorkflowStatus::kUnspecified;
    std::chrono::sys_time<std::chrono::nanoseconds> start_time;
    std::optional<std::chrono::sys_time<std::chrono::nanoseconds>> close_time;
    std::int64_t history_length = 0;
    int pending_activities = 0;
    std::map<std::string, Payload> memo;
    std::map<std::string, Payload> search_attributes;
};

struct QueryOptions {
    enum class RejectCondition { kNone = 1, kNotOpen = 2, kNotCompletedCleanly = 3 };
    RejectCondition reject = RejectCondition::kNone;
};

struct ResultOptions {
    /// Whether a run that continued as new, was retried or repeated by cron leads to the next one.
    bool follow_runs = true;
    /// Zero waits for ever; otherwise RpcError DEADLINE_EXCEEDED when the time is over.
    Milliseconds timeout{0};
};

/// A workflow, known by its id, from wherever it was started. A cheap value; safe to use from any
/// thread. Every call blocks its thread until the server has answered, and throws RpcError or what
/// derives from it.
class UntypedHandle {
public:
    UntypedHandle(std::shared_ptr<sdk::ClientCore> core, std::string workflow_id,
                  std::string run_id, std::string first_run_id)
        : core_(std::move(core)),
          workflow_id_(std::move(workflow_id)),
          run_id_(std::move(run_id)),
          first_run_id_(std::move(first_run_id)) {}

    const std::string& workflow_id() const { return workflow_id_; }
    /// The run that was started or asked for; empty means the current one.
    const std::string& run_id() const { return run_id_; }
    /// The first run of the chain, where it is known.
    const std::string& first_run_id() const { return first_run_id_; }

    /// Fire and forget: returns when the signal is in the history. Idempotent under retries.
    template <class... A>
    void signal(std::string_view name, const A&... arguments) const {
        signal_payloads(name, encode_arguments(arguments...));
    }
    template <auto Handler, class... A>
    void signal(const A&... arguments) const {
        signal_payloads(handler_name<Handler>, encode_arguments(arguments...));
    }

    /// Asks the workflow's code. Throws QueryFailedError when it cannot answer.
    template <class R, class... A>
    R query(std::string_view name, const A&... arguments) const {
        return decode_argument<R>(query_payloads(name, encode_arguments(arguments...), {}), 0);
    }
    template <auto Handler, class... A>
    auto query(const A&... arguments) const {
        using R = typename detail::signature_for<Handler>::result;
        return decode_argument<R>(
            query_payloads(handler_name<Handler>, encode_arguments(arguments...), {}), 0);
    }
    Payloads query_payloads(std::string_view name, Payloads arguments,
                            const QueryOptions& options) const;

    /// Asks the workflow to end; it may clean up first, or refuse.
    void cancel(std::string_view reason = {}) const;
    /// Ends it at once; its code does not hear of it.
    void terminate(std::string_view reason = {}) const;
    WorkflowDescription describe() const;

    /// Waits for the end. Throws WorkflowFailedError when there is no result.
    Payloads result_payloads(const ResultOptions& options = {}) const;

    void signal_payloads(std::string_view name, Payloads arguments) const;

private:
    std::shared_ptr<sdk::ClientCore> core_;
    std::string workflow_id_;
    std::string run_id_;
    std::string first_run_id_;
};

/// A handle that knows the type of the result.
template <class R>
class WorkflowHandle : public UntypedHandle {
public:
    explicit WorkflowHandle(UntypedHandle handle) : UntypedHandle(std::move(handle)) {}

    /// Waits for the end and gives the result. Throws WorkflowFailedError when there is none.
    R result(const ResultOptions& options = {}) const {
        return decode_argument<R>(result_payloads(options), 0);
    }
};

/// Starts workflows and speaks with them. A cheap value: copies share one connection. Safe to use
/// from any thread. Calls are retried as long as a retry makes sense, with request ids that keep
/// them from taking effect twice.
class Client {
public:
    /// Throws RpcError when no server answers.
    static Client connect(ClientOptions options = {});

    /// Starts a workflow that is written in C++: `client.start<buy>({.task_queue = "q"}, order)`,
    /// `client.start<&Approval::run>({...})`. Throws WorkflowAlreadyStartedError.
    template <auto Fn, class... A>
    auto start(const StartOptions& options, const A&... arguments) {
        using R = typename detail::signature_for<Fn>::result;
        return WorkflowHandle<R>(
            start_payloads(workflow_name<Fn>, options, encode_call<Fn>(arguments...), {}, {}));
    }

    /// Starts a workflow that is known by its type name alone, in whatever language it is written:
    /// `client.start<std::string>("Greet", {.task_queue = "python"}, name)`.
    template <class R = void, class... A>
    WorkflowHandle<R> start(std::string_view type, const StartOptions& options,
                            const A&... arguments) {
        return WorkflowHandle<R>(
            start_payloads(type, options, encode_arguments(arguments...), {}, {}));
    }

    /// Starts and waits for the result.
    template <auto Fn, class... A>
    auto execute(const StartOptions& options, const A&... arguments) {
        return start<Fn>(options, arguments...).result();
    }

    /// Signals the workflow, which is started first when it is not running.
    template <auto Fn, class... Signal, class... A>
    auto signal_with_start(const StartOptions& options, std::string_view signal,
                           const std::tuple<Signal...>& signal_arguments, const A&... arguments) {
        using R = typename detail::signature_for<Fn>::result;
        return WorkflowHandle<R>(start_payloads(workflow_name<Fn>, options,
                                                encode_call<Fn>(arguments...), signal,
                                                encode_tuple(signal_arguments)));
    }
    template <class R = void, class... Signal, class... A>
    WorkflowHandle<R> signal_with_start(std::string_view type, const StartOptions& options,
                                        std::string_view signal,
                                        const std::tuple<Signal...>& signal_arguments,
                                        const A&... arguments) {
        return WorkflowHandle<R>(start_payloads(type, options, encode_arguments(arguments...),
                                                signal, encode_tuple(signal_arguments)));
    }

    /// A workflow that was started elsewhere. No call is made.
    template <class R = void>
    WorkflowHandle<R> handle(std::string workflow_id, std::string run_id = {}) const {
        return WorkflowHandle<R>(
            UntypedHandle(core_, std::move(workflow_id), std::move(run_id), {}));
    }
    template <auto Fn>
    auto handle(std::string workflow_id, std::string run_id = {}) const {
        return handle<typename detail::signature_for<Fn>::result>(std::move(workflow_id),
                                                                  std::move(run_id));
    }

    UntypedHandle start_payloads(std::string_view type, const StartOptions& options,
                                 Payloads arguments, std::string_view signal,
                                 Payloads signal_arguments);

    const std::shared_ptr<sdk::ClientCore>& core() const { return core_; }

private:
    explicit Client(std::shared_ptr<sdk::ClientCore> core) : core_(std::move(core)) {}

    // Arguments are converted to the parameters' types first, so that the payloads are what the
    // function expects.
    template <auto Fn, class... A>
    static Payloads encode_call(const A&... arguments) {
        using Parameters = typename detail::signature_for<Fn>::arguments;
        static_assert(sizeof...(A) == std::tuple_size_v<Parameters>,
                      "the workflow takes another number of arguments");
        const Parameters converted(arguments...);
        return encode_tuple(converted);
    }
    template <class... T>
    static Payloads encode_tuple(const std::tuple<T...>& values) {
        return std::apply([](const T&... value) { return encode_arguments(value...); }, values);
    }

    std::shared_ptr<sdk::ClientCore> core_;
};

}  // namespace stele
