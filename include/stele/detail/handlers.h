#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "stele/function_traits.h"
#include "stele/payload.h"
#include "stele/task.h"

// How the messages of a workflow reach its code: signals, queries and updates, by name or, where no
// name fits, by the dynamic handler of the kind.
namespace stele::wf {

/// What happens when a run ends while a handler is still at work: the handler stops where it is, and
/// whoever sent the message may wonder.
enum class Unfinished {
    kWarn,     ///< Write a warning.
    kAbandon,  ///< It does not matter.
};

struct HandlerOptions {
    /// Empty: the name of the function.
    std::string name = {};
    /// For people; its first line is a summary. Shown by the web page and the command line.
    std::string description = {};
    Unfinished unfinished = Unfinished::kWarn;
};

namespace detail {

// All handlers get the run's object, or nothing for a function workflow, and the message's name.
struct SignalHandler {
    std::function<std::optional<task<void>>(void* object, const std::string& name, const Payloads&)>
        handle;
    std::string description = {};
    Unfinished unfinished = Unfinished::kWarn;
};

struct QueryHandler {
    std::function<Payload(void* object, const std::string& name, const Payloads&)> answer;
    std::string description = {};
};

struct UpdateHandler {
    /// Throws to reject. May be empty.
    std::function<void(void* object, const std::string& name, const Payloads&)> validate;
    /// Decodes the arguments and returns the work, which has not begun.
    std::function<task<std::optional<Payload>>(void* object, const std::string& name,
                                               const Payloads&)>
        handle;
    std::string description = {};
    Unfinished unfinished = Unfinished::kWarn;
};

/// Shared, so that a handler that is replaced while it is at work lives on until it has ended.
template <class H>
struct HandlersOf {
    std::map<std::string, std::shared_ptr<const H>, std::less<>> named;
    std::shared_ptr<const H> dynamic;

    void set(std::string_view name, H handler) {
        named.insert_or_assign(std::string(name), std::make_shared<const H>(std::move(handler)));
    }
    std::shared_ptr<const H> find(std::string_view name) const {
        const auto found = named.find(name);
        return found == named.end() ? nullptr : found->second;
    }
};

struct Handlers {
    HandlersOf<SignalHandler> signals;
    HandlersOf<QueryHandler> queries;
    HandlersOf<UpdateHandler> updates;
};

// GCC takes the frame of a coroutine for a class of this header, and warns when it holds a type that
// only one source file knows, which is what the types of a workflow often are.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

/// Waits for the work and encodes what it gives.
template <class T>
task<std::optional<Payload>> encode_result(task<T> main) {
    if constexpr (std::is_void_v<T>) {
        co_await main;
        co_return std::optional<Payload>();
    } else {
        T value = co_await main;
        co_return std::optional<Payload>(encode_value(value));
    }
}

/// A function that does not wait, as work: it runs when the work begins, not before.
template <class F>
task<std::optional<Payload>> run_plain(F function) {
    using R = decltype(function());
    if constexpr (std::is_void_v<R>) {
        function();
        co_return std::optional<Payload>();
    } else {
        co_return std::optional<Payload>(encode_value(function()));
    }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Calls `function` with the arguments of type `Arguments` that `input` holds, as work.
template <class Signature, class F>
task<std::optional<Payload>> start_handler(F function, const Payloads& input) {
    static_assert(Signature::owns_arguments, "a handler that waits takes its arguments by value");
    using Arguments = typename Signature::arguments;
    auto decoded = decode_arguments(input, std::type_identity<Arguments>{});
    if constexpr (Signature::is_coroutine) {
        return encode_result(std::apply(std::move(function), std::move(decoded)));
    } else {
        return run_plain([function = std::move(function), decoded = std::move(decoded)]() mutable {
            return std::apply(std::move(function), std::move(decoded));
        });
    }
}

template <class Signature, class F>
std::optional<task<void>> handle_signal(F function, const Payloads& input) {
    static_assert(Signature::owns_arguments, "a handler that waits takes its arguments by value");
    using Arguments = typename Signature::arguments;
    auto decoded = decode_arguments(input, std::type_identity<Arguments>{});
    if constexpr (Signature::is_coroutine) {
        return std::apply(std::move(function), std::move(decoded));
    } else {
        std::apply(std::move(function), std::move(decoded));
        return std::nullopt;
    }
}

template <class Signature, class F>
Payload answer_query(F function, const Payloads& input) {
    using Arguments = typename Signature::arguments;
    return encode_value(
        std::apply(std::move(function), decode_arguments(input, std::type_identity<Arguments>{})));
}

/// A member function of the run's object as a function of its arguments.
template <class Object, auto Method>
auto bound_method(void* object) {
    return [self = static_cast<Object*>(object)](auto&&... values) {
        return (self->*Method)(std::forward<decltype(values)>(values)...);
    };
}

template <class Object, auto Method>
SignalHandler method_signal_handler() {
    using Signature = stele::detail::signature_for<Method>;
    return {[](void* object, const std::string&, const Payloads& input) {
        return handle_signal<Signature>(bound_method<Object, Method>(object), input);
    }};
}

template <class Object, auto Method>
QueryHandler method_query_handler() {
    using Signature = stele::detail::signature_for<Method>;
    static_assert(Signature::is_const, "a query handler is a const member function");
    return {[](void* object, const std::string&, const Payloads& input) {
        return answer_query<Signature>(bound_method<const Object, Method>(object), input);
    }};
}

template <class Object, auto Method>
UpdateHandler method_update_handler() {
    using Signature = stele::detail::signature_for<Method>;
    UpdateHandler handler;
    handler.handle = [](void* object, const std::string&, const Payloads& input) {
        return start_handler<Signature>(bound_method<Object, Method>(object), input);
    };
    return handler;
}

template <class Object, auto Validator>
auto method_validator() {
    using Signature = stele::detail::signature_for<Validator>;
    static_assert(
        Signature::is_const && !Signature::is_coroutine &&
            std::is_void_v<typename Signature::result>,
        "a validator is a const member function that returns nothing and throws to reject");
    return [](void* object, const std::string&, const Payloads& input) {
        handle_signal<Signature>(bound_method<const Object, Validator>(object), input);
    };
}

// Dynamic handlers take the name and the payloads as they came.

template <class Object, auto Method>
SignalHandler dynamic_signal_handler() {
    using Signature = stele::detail::signature_for<Method>;
    return {[](void* object, const std::string& name,
               const Payloads& input) -> std::optional<task<void>> {
        auto* self = static_cast<Object*>(object);
        if constexpr (Signature::is_coroutine) {
            return (self->*Method)(name, input);
        } else {
            (self->*Method)(name, input);
            return std::nullopt;
        }
    }};
}

template <class Object, auto Method>
QueryHandler dynamic_query_handler() {
    static_assert(stele::detail::signature_for<Method>::is_const,
                  "a query handler is a const member function");
    return {[](void* object, const std::string& name, const Payloads& input) {
        return encode_value((static_cast<const Object*>(object)->*Method)(name, input));
    }};
}

template <class Object, auto Method>
UpdateHandler dynamic_update_handler() {
    using Signature = stele::detail::signature_for<Method>;
    UpdateHandler handler;
    handler.handle = [](void* object, const std::string& name, const Payloads& input) {
        auto* self = static_cast<Object*>(object);
        if constexpr (Signature::is_coroutine)
            return encode_result((self->*Method)(name, input));
        else
            return run_plain([self, name, input] { return (self->*Method)(name, input); });
    };
    return handler;
}

}  // namespace detail

}  // namespace stele::wf
