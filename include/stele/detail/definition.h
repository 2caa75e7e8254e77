#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "stele/function_traits.h"
#include "stele/task.h"
#include "stele/workflow.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// A coroutine template may well be used with a type of an anonymous namespace.
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

// What a worker knows about a workflow type. Made by the registration templates, immutable
// afterwards and shared by all runs.
namespace stele::wf::detail {

/// The object of one run: an instance of the user's class, or nothing for a function.
class Body {
public:
    virtual ~Body() = default;
    /// Decodes the arguments at once and returns the main routine, not yet started.
    virtual task<std::optional<Payload>> run(const Payloads& arguments) = 0;
    virtual void* object() { return nullptr; }
};

using BoundSignal = std::function<std::optional<task<void>>(void* object, const Payloads&)>;
using BoundQuery = std::function<Payload(void* object, const Payloads&)>;

struct Definition {
    std::string name;
    std::function<std::unique_ptr<Body>()> make;
    std::map<std::string, BoundSignal, std::less<>> signals;
    std::map<std::string, BoundQuery, std::less<>> queries;
};

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

template <auto Fn>
class FunctionBody final : public Body {
    using Signature = stele::detail::signature_for<Fn>;
    static_assert(Signature::is_coroutine, "a workflow function returns wf::task<T>");

public:
    task<std::optional<Payload>> run(const Payloads& arguments) override {
        return encode_result(std::apply(
            Fn, decode_arguments(arguments, std::type_identity<typename Signature::arguments>{})));
    }
};

template <class Object, auto Run>
class ObjectBody final : public Body {
    using Signature = stele::detail::signature_for<Run>;
    static_assert(Signature::is_coroutine, "the main routine of a workflow returns wf::task<T>");

public:
    task<std::optional<Payload>> run(const Payloads& arguments) override {
        auto decoded =
            decode_arguments(arguments, std::type_identity<typename Signature::arguments>{});
        return encode_result(
            std::apply([this](auto&&... values) { return (object_.*Run)(std::move(values)...); },
                       std::move(decoded)));
    }
    void* object() override { return &object_; }

private:
    Object object_;
};

template <class Object, auto Handler>
BoundSignal bind_signal() {
    using Signature = stele::detail::signature_for<Handler>;
    return [](void* object, const Payloads& input) -> std::optional<task<void>> {
        auto decoded = decode_arguments(input, std::type_identity<typename Signature::arguments>{});
        return std::apply(
            [&](auto&&... values) -> std::optional<task<void>> {
                auto* self = static_cast<Object*>(object);
                if constexpr (Signature::is_coroutine) {
                    return (self->*Handler)(std::move(values)...);
                } else {
                    (self->*Handler)(std::move(values)...);
                    return std::nullopt;
                }
            },
            std::move(decoded));
    };
}

template <class Object, auto Handler>
BoundQuery bind_query() {
    using Signature = stele::detail::signature_for<Handler>;
    static_assert(Signature::is_const, "a query handler is a const member function");
    return [](void* object, const Payloads& input) {
        auto decoded = decode_arguments(input, std::type_identity<typename Signature::arguments>{});
        return std::apply(
            [&](auto&&... values) {
                return encode_value(
                    (static_cast<const Object*>(object)->*Handler)(std::move(values)...));
            },
            std::move(decoded));
    };
}

}  // namespace stele::wf::detail

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
