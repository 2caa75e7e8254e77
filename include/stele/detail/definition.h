#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "stele/detail/handlers.h"
#include "stele/function_traits.h"
#include "stele/task.h"
#include "stele/versioning.h"

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

struct Definition {
    std::string name;
    std::function<std::unique_ptr<Body>()> make;
    Handlers handlers;
    VersioningBehavior versioning = VersioningBehavior::kUnspecified;
};

template <auto Fn>
class FunctionBody final : public Body {
    using Signature = stele::detail::signature_for<Fn>;
    static_assert(Signature::is_coroutine, "a workflow function returns wf::task<T>");
    static_assert(Signature::owns_arguments, "a workflow takes its arguments by value");

public:
    task<std::optional<Payload>> run(const Payloads& arguments) override {
        return encode_result(std::apply(
            Fn, decode_arguments(arguments, std::type_identity<typename Signature::arguments>{})));
    }
};

/// A function that takes the arguments as they came.
template <auto Fn>
class DynamicBody final : public Body {
    using Signature = stele::detail::signature_for<Fn>;
    static_assert(Signature::is_coroutine && Signature::owns_arguments &&
                      std::is_same_v<typename Signature::arguments, std::tuple<Payloads>>,
                  "a dynamic workflow takes stele::Payloads by value and returns wf::task<T>");

public:
    task<std::optional<Payload>> run(const Payloads& arguments) override {
        return encode_result(Fn(arguments));
    }
};

template <class Object, auto Run>
class ObjectBody final : public Body {
    using Signature = stele::detail::signature_for<Run>;
    static_assert(Signature::is_coroutine, "the main routine of a workflow returns wf::task<T>");
    static_assert(Signature::owns_arguments, "a workflow takes its arguments by value");

public:
    task<std::optional<Payload>> run(const Payloads& arguments) override {
        auto decoded =
            decode_arguments(arguments, std::type_identity<typename Signature::arguments>{});
        make_object(decoded);
        return encode_result(
            std::apply([this](auto&&... values) { return (*object_.*Run)(std::move(values)...); },
                       std::move(decoded)));
    }
    void* object() override { return object_ ? &*object_ : nullptr; }

private:
    template <class... A>
    void make_object(const std::tuple<A...>& arguments) {
        if constexpr (std::is_default_constructible_v<Object>) {
            object_.emplace();
        } else {
            static_assert(std::is_constructible_v<Object, const A&...>,
                          "a workflow class has a constructor without arguments, or one that takes "
                          "those of its main routine");
            std::apply([this](const A&... values) { object_.emplace(values...); }, arguments);
        }
    }

    std::optional<Object> object_;
};

}  // namespace stele::wf::detail

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
