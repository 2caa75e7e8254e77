#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "stele/activity.h"
#include "stele/client.h"
#include "stele/detail/definition.h"
#include "stele/tuner.h"

namespace stele {

namespace sdk {
struct Registry;
struct WorkerState;
}  // namespace sdk

/// Of a workflow type.
struct WorkflowRegistration {
    /// Empty: the name of the function.
    std::string name = {};
    /// What its runs do when a newer build takes over; kUnspecified: what WorkerOptions::deployment says.
    VersioningBehavior versioning = VersioningBehavior::kUnspecified;
};

struct WorkerOptions {
    /// Runs kept in memory between their tasks, so that they need not be replayed.
    int cached_runs_max = 10'000;
    /// What they may weigh together, by the bytes of the histories that they were built from, which is
    /// an estimate; 0: any number.
    std::int64_t cached_bytes_max = 0;
    int concurrent_workflow_tasks_max = 100;
    int concurrent_activities_max = 100;
    /// In place of these two numbers; see tuner.h.
    Tuner tuner = {};
    int workflow_pollers = 2;
    int activity_pollers = 2;
    /// In place of these two numbers, of which the first holds for the normal and for the sticky queue
    /// each.
    std::optional<PollerAutoscaling> workflow_poller_autoscaling = {};
    std::optional<PollerAutoscaling> activity_poller_autoscaling = {};
    /// How many activities this worker begins a second on average; 0: no limit.
    double activities_per_second = 0;
    /// Of the whole task queue, whichever worker said it last; 0: no limit.
    double queue_activities_per_second = 0;
    /// Whether activities on the worker's own task queue may come back with the answer that schedules
    /// them. They do not under either limit per second.
    bool eager_activities = true;
    Milliseconds sticky_schedule_to_start{5'000};
    /// How long activities may go on after stop() before they are cancelled.
    Milliseconds graceful_stop{0};
    /// Workflow code that keeps its thread for longer fails its workflow task; 0: no limit.
    Milliseconds deadlock_timeout{2'000};
    Milliseconds heartbeat_throttle_default{30'000};
    Milliseconds heartbeat_throttle_max{60'000};
    /// Exceptions other than Temporal's failures that fail the workflow instead of its workflow task.
    /// Empty: none does.
    std::function<bool(const std::exception&)> fails_workflow = {};
    /// Which build this worker is; see versioning.h.
    std::optional<WorkerDeployment> deployment = {};
    bool run_workflows = true;
    bool run_activities = true;
};

namespace detail {

using ActivityFunction = std::function<std::optional<Payload>(const Payloads&)>;

template <class R, class Invoke>
std::optional<Payload> invoke_encoded(Invoke&& invoke) {
    if constexpr (std::is_void_v<R>) {
        invoke();
        return std::nullopt;
    } else {
        return encode_value<R>(invoke());
    }
}

template <auto Fn>
ActivityFunction bind_activity() {
    using Signature = signature_for<Fn>;
    return [](const Payloads& input) {
        auto decoded = decode_arguments(input, std::type_identity<typename Signature::arguments>{});
        return invoke_encoded<typename Signature::result>(
            [&] { return std::apply(Fn, std::move(decoded)); });
    };
}

template <auto Method, class Object>
ActivityFunction bind_activity(Object* object) {
    using Signature = signature_for<Method>;
    return [object](const Payloads& input) {
        auto decoded = decode_arguments(input, std::type_identity<typename Signature::arguments>{});
        return invoke_encoded<typename Signature::result>([&] {
            return std::apply(
                [&](auto&&... values) { return (object->*Method)(std::move(values)...); },
                std::move(decoded));
        });
    };
}

}  // namespace detail

/// Runs workflows and activities of one task queue. Register first, then run() or start().
/// Registration is not thread safe; stop() may be called from any thread and from signal-handling
/// threads. A worker that is destroyed stops first.
class Worker {
public:
    /// Throws ConfigurationError for options that cannot be meant.
    Worker(Client client, std::string task_queue, WorkerOptions options = {});
    Worker(Worker&&) noexcept;
    ~Worker();

    /// A workflow that is a function: `worker.register_workflow<buy>()`.
    template <auto Fn>
    Worker& register_workflow(std::string name = std::string(workflow_name<Fn>)) {
        return register_workflow<Fn>(WorkflowRegistration{.name = std::move(name)});
    }
    /// `worker.register_workflow<buy>({.versioning = VersioningBehavior::kPinned})`
    template <auto Fn>
    Worker& register_workflow(WorkflowRegistration registration) {
        wf::detail::Definition definition;
        definition.name = registration.name.empty() ? std::string(workflow_name<Fn>)
                                                    : std::move(registration.name);
        definition.versioning = registration.versioning;
        definition.make = [] { return std::make_unique<wf::detail::FunctionBody<Fn>>(); };
        add(std::move(definition));
        return *this;
    }

    /// `worker.register_activity<charge>()`
    template <auto Fn>
        requires(!std::is_member_function_pointer_v<decltype(Fn)>)
    Worker& register_activity(std::string name = std::string(activity_name<Fn>)) {
        add(std::move(name), detail::bind_activity<Fn>());
        return *this;
    }
    /// A member function of an object that outlives the worker.
    template <auto Method, class Object>
        requires(std::is_member_function_pointer_v<decltype(Method)>)
    Worker& register_activity(Object* object,
                              std::string name = std::string(activity_name<Method>)) {
        add(std::move(name), detail::bind_activity<Method>(object));
        return *this;
    }

    /// A workflow for every type that is not registered: a function that takes the arguments as
    /// stele::Payloads and finds the type in wf::info().
    template <auto Fn>
    Worker& register_dynamic_workflow(
        VersioningBehavior versioning = VersioningBehavior::kUnspecified) {
        wf::detail::Definition definition;
        definition.versioning = versioning;
        definition.make = [] { return std::make_unique<wf::detail::DynamicBody<Fn>>(); };
        set_dynamic(std::move(definition));
        return *this;
    }
    /// An activity for every type that is not registered: a function that takes the arguments as
    /// stele::Payloads and finds the type in activity::info().
    template <auto Fn>
    Worker& register_dynamic_activity() {
        using Signature = detail::signature_for<Fn>;
        static_assert(std::is_same_v<typename Signature::arguments, std::tuple<Payloads>>,
                      "a dynamic activity takes stele::Payloads");
        set_dynamic([](const Payloads& input) {
            return detail::invoke_encoded<typename Signature::result>([&] { return Fn(input); });
        });
        return *this;
    }

    void set_dynamic(wf::detail::Definition definition);
    void set_dynamic(detail::ActivityFunction activity);
    void add(wf::detail::Definition definition);
    void add(std::string name, detail::ActivityFunction activity);
    /// Registers the activity, or takes the place of the one that has this name.
    void set_activity(std::string name, detail::ActivityFunction activity);

    /// Begins to poll and returns. Throws ConfigurationError for a workflow type of a worker with
    /// versioning that does not say what its runs do when a newer build takes over.
    void start();
    /// Stops polling, lets what is running end as WorkerOptions says, and returns when all is quiet.
    void stop();
    /// start(), and returns when stop() has been called elsewhere.
    void run();

private:
    std::shared_ptr<sdk::Registry> registry_;
    std::shared_ptr<sdk::WorkerState> state_;
};

namespace wf {

/// Registers a workflow that is a class, one object of which is made for each run:
///
/// The object is made by the default constructor, or where there is none by one that takes the arguments
/// of the main routine.
///
///     wf::register_type<Approval>(worker).run<&Approval::run>()
///         .signal<&Approval::approve>().query<&Approval::status>().update<&Approval::set>();
///
/// The registration happens when the expression ends.
template <class Object, class Target>
class TypeRegistration {
public:
    TypeRegistration(Target& target, std::string name) : target_(&target) {
        definition_.name = std::move(name);
    }
    TypeRegistration(const TypeRegistration&) = delete;
    ~TypeRegistration() {
        if (definition_.make) target_->add(std::move(definition_));
    }

    template <auto Method>
    TypeRegistration& run() {
        definition_.make = [] { return std::make_unique<detail::ObjectBody<Object, Method>>(); };
        return *this;
    }
    /// What runs of this type do when a newer build takes over.
    TypeRegistration& versioning(VersioningBehavior behavior) {
        definition_.versioning = behavior;
        return *this;
    }
    /// The handler may be a coroutine; several may then be at work at a time.
    template <auto Handler>
    TypeRegistration& signal(std::string name = std::string(handler_name<Handler>)) {
        return signal<Handler>(HandlerOptions{.name = std::move(name)});
    }
    template <auto Handler>
    TypeRegistration& signal(const HandlerOptions& options) {
        auto handler = detail::method_signal_handler<Object, Handler>();
        handler.description = options.description;
        handler.unfinished = options.unfinished;
        definition_.handlers.signals.set(name_of<Handler>(options), std::move(handler));
        return *this;
    }

    template <auto Handler>
    TypeRegistration& query(std::string name = std::string(handler_name<Handler>)) {
        return query<Handler>(HandlerOptions{.name = std::move(name)});
    }
    template <auto Handler>
    TypeRegistration& query(const HandlerOptions& options) {
        auto handler = detail::method_query_handler<Object, Handler>();
        handler.description = options.description;
        definition_.handlers.queries.set(name_of<Handler>(options), std::move(handler));
        return *this;
    }

    /// An update: what the handler returns is the caller's result. The handler may be a coroutine. A
    /// Temporal failure that it throws fails the update; any other exception fails the workflow task.
    template <auto Handler>
    TypeRegistration& update(const HandlerOptions& options = {}) {
        return add_update<Handler>(detail::method_update_handler<Object, Handler>(), options);
    }
    /// The same with a validator: a const member function that takes the same arguments, is called
    /// first and throws to reject the update. The history then keeps no trace of it.
    template <auto Handler, auto Validator>
    TypeRegistration& update(const HandlerOptions& options = {}) {
        static_assert(std::is_same_v<typename stele::detail::signature_for<Handler>::arguments,
                                     typename stele::detail::signature_for<Validator>::arguments>,
                      "a validator takes the arguments of its update");
        auto handler = detail::method_update_handler<Object, Handler>();
        handler.validate = detail::method_validator<Object, Validator>();
        return add_update<Handler>(std::move(handler), options);
    }

    /// Member functions for all names that have no handler of their own. They take
    /// (std::string name, stele::Payloads arguments).
    template <auto Handler>
    TypeRegistration& dynamic_signal() {
        definition_.handlers.signals.dynamic =
            share(detail::dynamic_signal_handler<Object, Handler>());
        return *this;
    }
    template <auto Handler>
    TypeRegistration& dynamic_query() {
        definition_.handlers.queries.dynamic =
            share(detail::dynamic_query_handler<Object, Handler>());
        return *this;
    }
    template <auto Handler>
    TypeRegistration& dynamic_update() {
        definition_.handlers.updates.dynamic =
            share(detail::dynamic_update_handler<Object, Handler>());
        return *this;
    }

private:
    template <auto Handler>
    static std::string name_of(const HandlerOptions& options) {
        return options.name.empty() ? std::string(handler_name<Handler>) : options.name;
    }
    template <class H>
    static std::shared_ptr<const H> share(H handler) {
        return std::make_shared<const H>(std::move(handler));
    }
    template <auto Handler>
    TypeRegistration& add_update(detail::UpdateHandler handler, const HandlerOptions& options) {
        handler.description = options.description;
        handler.unfinished = options.unfinished;
        definition_.handlers.updates.set(name_of<Handler>(options), std::move(handler));
        return *this;
    }

    Target* target_;
    detail::Definition definition_;
};

template <class Object, class Target>
TypeRegistration<Object, Target> register_type(
    Target& target, std::string name = std::string(stele::detail::class_name<Object>())) {
    return TypeRegistration<Object, Target>(target, std::move(name));
}

}  // namespace wf

}  // namespace stele
