#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stele/async_activity.h"
#include "stele/data_converter.h"
#include "stele/errors.h"
#include "stele/function_traits.h"
#include "stele/interceptor.h"
#include "stele/log.h"
#include "stele/metrics.h"
#include "stele/options.h"
#include "stele/runtime.h"
#include "stele/transport.h"
#include "stele/update.h"
#include "stele/versioning.h"
#include "stele/visibility.h"

namespace temporal::api::history::v1 {
class History;
class HistoryEvent;
}  // namespace temporal::api::history::v1

namespace stele {

namespace sdk {
class ClientCore;
}

namespace detail {

template <class... T>
Payloads encode_tuple(const std::tuple<T...>& values) {
    return std::apply([](const T&... value) { return encode_arguments(value...); }, values);
}

/// Converts the arguments to the parameters' types first, so that the payloads are what the function
/// expects.
template <auto Fn, class... A>
Payloads encode_call(const A&... arguments) {
    using Parameters = typename signature_for<Fn>::arguments;
    static_assert(sizeof...(A) == std::tuple_size_v<Parameters>,
                  "the function takes another number of arguments");
    const Parameters converted(arguments...);
    return encode_tuple(converted);
}

}  // namespace detail

struct ClientOptions {
    std::string address = "127.0.0.1:7233";
    std::string namespace_name = "default";
    /// Who this process is, for histories and pollers; empty means process id at host name.
    std::string identity = {};
    /// Sent as a bearer token, in the clear unless `use_tls` is set.
    std::string api_key = {};
    bool use_tls = false;
    TlsOptions tls = {};
    /// Sent with every call, as HTTP headers are. Names are lower case.
    std::map<std::string, std::string> metadata = {};
    DataConverter data_converter = {};
    /// Of the client and of the workers that use it.
    PayloadLimits payload_limits = {};
    /// Of the client and of the workers that use it; empty: no log.
    Logger logger = log_to_stderr;
    /// Where the client and the workers that use it write their metrics to; null: nowhere.
    std::shared_ptr<Meter> meter = {};
    /// Of the client and of the workers that use it.
    Interceptors interceptors = {};
    /// How often workers tell the server how they are, which is what lists of workers show; 0: never.
    Milliseconds worker_heartbeat_interval{60'000};
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
    /// Lets a worker of this client (or of a copy of it) that serves the task queue and has a free slot run
    /// the first workflow task: it comes with the answer to the start, which saves the way through
    /// the queue. Where there is no such worker, or the server does not care, it goes the usual
    /// way. Without effect with cron_schedule, start_delay, a signal or an update.
    bool eager = false;
    Priority priority = {};
    /// Which build works on the run, in place of what its workflow type says.
    std::optional<VersioningOverride> versioning_override = {};
    /// Values made with encode_value().
    PayloadFields memo = {};
    /// Made by typed keys: `{kCustomer.of("ada")}` (search_attributes.h).
    PayloadFields search_attributes = {};
    /// For people, shown by the command line and the web page.
    std::string static_summary = {};
    std::string static_details = {};
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
        signal_payloads(handler_name<Handler>, detail::encode_call<Handler>(arguments...));
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
            query_payloads(handler_name<Handler>, detail::encode_call<Handler>(arguments...), {}),
            0);
    }
    Payloads query_payloads(std::string_view name, Payloads arguments,
                            const QueryOptions& options) const;

    /// Sends data in and waits for the answer, in one step: `handle.execute_update<&Cart::add>(item)`.
    /// Throws UpdateFailedError when the workflow rejects it or its handler fails, NotFoundError when
    /// there is no such workflow or it has ended. Idempotent under retries.
    template <auto Handler, class... A>
    auto execute_update(const A&... arguments) const {
        return start_update<Handler>({.wait = UpdateStage::kCompleted}, arguments...).result();
    }
    template <class R = void, class... A>
    R execute_update(std::string_view name, const A&... arguments) const {
        return start_update<R>(name, {.wait = UpdateStage::kCompleted}, arguments...).result();
    }
    /// Sends data in and returns when the update has come as far as `options` ask for. A rejected
    /// update does not throw here but in result().
    template <auto Handler, class... A>
    auto start_update(const UpdateOptions& options, const A&... arguments) const {
        using R = typename detail::signature_for<Handler>::result;
        return UpdateHandle<R>(start_update_payloads(handler_name<Handler>, options,
                                                     detail::encode_call<Handler>(arguments...)));
    }
    template <class R = void, class... A>
    UpdateHandle<R> start_update(std::string_view name, const UpdateOptions& options,
                                 const A&... arguments) const {
        return UpdateHandle<R>(
            start_update_payloads(name, options, encode_arguments(arguments...)));
    }
    UntypedUpdateHandle start_update_payloads(std::string_view name, const UpdateOptions& options,
                                              Payloads arguments) const;
    /// An update that was sent elsewhere, known by its id. No call is made.
    template <class R = void>
    UpdateHandle<R> update_handle(std::string update_id) const {
        return UpdateHandle<R>(untyped_update_handle(std::move(update_id)));
    }
    template <auto Handler>
    auto update_handle(std::string update_id) const {
        return update_handle<typename detail::signature_for<Handler>::result>(std::move(update_id));
    }

    /// Asks the workflow to end; it may clean up first, or refuse.
    void cancel(std::string_view reason = {}) const;
    /// Ends it at once; its code does not hear of it.
    void terminate(std::string_view reason = {}) const;
    /// Sends the run's next workflow tasks to other builds than its workflow type says; nothing ends an
    /// override. Idempotent.
    void set_versioning_override(const std::optional<VersioningOverride>& wanted) const;
    WorkflowDescription describe() const;
    /// The events of the run, oldest first: `for (const auto& event : handle.history())`. Needs
    /// temporal/api/history/v1/message.pb.h.
    PagedRange<temporal::api::history::v1::HistoryEvent> history(
        const HistoryOptions& options = {}) const;
    /// The same as one message, which a Replayer takes.
    temporal::api::history::v1::History fetch_history() const;

    /// Waits for the end. Throws WorkflowFailedError when there is no result.
    Payloads result_payloads(const ResultOptions& options = {}) const;

    void signal_payloads(std::string_view name, Payloads arguments) const;

private:
    UntypedUpdateHandle untyped_update_handle(std::string update_id) const;

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

/// What Client::with_start() holds: a workflow that the update's call starts when it does not run yet.
class UntypedWithStart {
public:
    UntypedWithStart(std::shared_ptr<sdk::ClientCore> core, std::string type, StartOptions options,
                     Payloads arguments)
        : core_(std::move(core)),
          type_(std::move(type)),
          options_(std::move(options)),
          arguments_(std::move(arguments)) {}

    UntypedUpdateHandle start_update_payloads(std::string_view name, const UpdateOptions& options,
                                              Payloads arguments);

protected:
    const UntypedHandle& started() const;

private:
    std::shared_ptr<sdk::ClientCore> core_;
    std::string type_;
    StartOptions options_;
    Payloads arguments_;
    std::optional<UntypedHandle> started_;
};

/// The same with the type of the workflow's result. Not thread safe.
template <class R>
class WithStart : public UntypedWithStart {
public:
    using UntypedWithStart::UntypedWithStart;

    /// Like the functions of UntypedHandle. In addition they throw WorkflowAlreadyStartedError when
    /// the policies of the start do not allow what they find; then the update was not sent either.
    template <auto Handler, class... A>
    auto execute_update(const A&... arguments) {
        return start_update<Handler>({.wait = UpdateStage::kCompleted}, arguments...).result();
    }
    template <class U = void, class... A>
    U execute_update(std::string_view name, const A&... arguments) {
        return start_update<U>(name, {.wait = UpdateStage::kCompleted}, arguments...).result();
    }
    template <auto Handler, class... A>
    auto start_update(const UpdateOptions& options, const A&... arguments) {
        using U = typename detail::signature_for<Handler>::result;
        return UpdateHandle<U>(start_update_payloads(handler_name<Handler>, options,
                                                     detail::encode_call<Handler>(arguments...)));
    }
    template <class U = void, class... A>
    UpdateHandle<U> start_update(std::string_view name, const UpdateOptions& options,
                                 const A&... arguments) {
        return UpdateHandle<U>(
            start_update_payloads(name, options, encode_arguments(arguments...)));
    }

    /// The workflow that the update went to. Throws IllegalCallError before there is one.
    WorkflowHandle<R> handle() const { return WorkflowHandle<R>(started()); }
};

/// Starts workflows and speaks with them. A cheap value: copies share one connection. Safe to use
/// from any thread. Calls are retried as long as a retry makes sense, with request ids that keep
/// them from taking effect twice.
class Client {
public:
    /// Throws ConfigurationError for options that cannot be meant, RpcError when no server answers.
    /// What the environment and a profile say is read by load_client_options() (profile.h).
    static Client connect(ClientOptions options = {});

    /// Starts a workflow that is written in C++: `client.start<buy>({.task_queue = "q"}, order)`,
    /// `client.start<&Approval::run>({...})`. Throws WorkflowAlreadyStartedError.
    template <auto Fn, class... A>
    auto start(const StartOptions& options, const A&... arguments) const {
        using R = typename detail::signature_for<Fn>::result;
        return WorkflowHandle<R>(start_payloads(workflow_name<Fn>, options,
                                                detail::encode_call<Fn>(arguments...), {}, {}));
    }

    /// Starts a workflow that is known by its type name alone, in whatever language it is written:
    /// `client.start<std::string>("Greet", {.task_queue = "python"}, name)`.
    template <class R = void, class... A>
    WorkflowHandle<R> start(std::string_view type, const StartOptions& options,
                            const A&... arguments) const {
        return WorkflowHandle<R>(
            start_payloads(type, options, encode_arguments(arguments...), {}, {}));
    }

    /// Starts and waits for the result.
    template <auto Fn, class... A>
    auto execute(const StartOptions& options, const A&... arguments) const {
        return start<Fn>(options, arguments...).result();
    }

    /// Signals the workflow, which is started first when it is not running.
    template <auto Fn, class... Signal, class... A>
    auto signal_with_start(const StartOptions& options, std::string_view signal,
                           const std::tuple<Signal...>& signal_arguments,
                           const A&... arguments) const {
        using R = typename detail::signature_for<Fn>::result;
        return WorkflowHandle<R>(start_payloads(workflow_name<Fn>, options,
                                                detail::encode_call<Fn>(arguments...), signal,
                                                detail::encode_tuple(signal_arguments)));
    }
    template <class R = void, class... Signal, class... A>
    WorkflowHandle<R> signal_with_start(std::string_view type, const StartOptions& options,
                                        std::string_view signal,
                                        const std::tuple<Signal...>& signal_arguments,
                                        const A&... arguments) const {
        return WorkflowHandle<R>(start_payloads(type, options, encode_arguments(arguments...),
                                                signal, detail::encode_tuple(signal_arguments)));
    }

    /// Update-with-start: the workflow is started, unless it runs already, and gets the update, in one
    /// call that does both or neither:
    ///
    ///     auto cart = client.with_start<&Cart::run>(
    ///         {.id = "cart-7", .task_queue = "q", .id_conflict = IdConflictPolicy::kUseExisting});
    ///     int items = cart.execute_update<&Cart::add>(item);
    ///     cart.handle().result();
    ///
    /// No call is made before the update. `id_conflict` must be set.
    template <auto Fn, class... A>
    auto with_start(const StartOptions& options, const A&... arguments) const {
        using R = typename detail::signature_for<Fn>::result;
        return WithStart<R>(core_, std::string(workflow_name<Fn>), options,
                            detail::encode_call<Fn>(arguments...));
    }
    template <class R = void, class... A>
    WithStart<R> with_start(std::string_view type, const StartOptions& options,
                            const A&... arguments) const {
        return WithStart<R>(core_, std::string(type), options, encode_arguments(arguments...));
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

    /// An activity that is ended from here, by its task token or by its ids. No call is made.
    AsyncActivityHandle activity_handle(std::string task_token) const {
        return AsyncActivityHandle(core_, std::move(task_token));
    }
    AsyncActivityHandle activity_handle(std::string workflow_id, std::string run_id,
                                        std::string activity_id) const {
        return AsyncActivityHandle(core_, std::move(workflow_id), std::move(run_id),
                                   std::move(activity_id));
    }

    /// The workflows that a list filter finds, newest first:
    /// `for (const auto& found : client.list({.query = "WorkflowType = 'buy'"}))`. Throws RpcError
    /// INVALID_ARGUMENT for a filter that the server cannot read.
    PagedRange<WorkflowSummary> list(const ListOptions& options = {}) const;
    /// How many there are, by groups where the filter says GROUP BY.
    WorkflowCount count(const std::string& query = {}) const;

    UntypedHandle start_payloads(std::string_view type, const StartOptions& options,
                                 Payloads arguments, std::string_view signal,
                                 Payloads signal_arguments) const;

    const std::shared_ptr<sdk::ClientCore>& core() const { return core_; }

private:
    explicit Client(std::shared_ptr<sdk::ClientCore> core) : core_(std::move(core)) {}

    std::shared_ptr<sdk::ClientCore> core_;
};

}  // namespace stele
