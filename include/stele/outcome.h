#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "stele/errors.h"

namespace stele {

/// A value or the exception that came in its place: for code that handles errors outside of catch
/// blocks, where co_await is not allowed. Not thread safe, like the values that it holds.
template <class T>
class outcome {
    using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    outcome() = default;
    static outcome success(Stored value) {
        outcome result;
        result.value_.emplace(std::move(value));
        return result;
    }
    static outcome failure(std::exception_ptr error) {
        outcome result;
        result.error_ = std::move(error);
        return result;
    }

    bool ok() const { return error_ == nullptr; }
    explicit operator bool() const { return ok(); }

    /// True when it failed because of a cancellation, also one that an activity reported.
    bool cancelled() const {
        bool found = false;
        inspect([&](const FailureError& error) { found = error.is_cancellation(); });
        return found;
    }

    /// The value, or throws the exception that came in its place.
    T value() {
        if (error_) std::rethrow_exception(error_);
        if constexpr (!std::is_void_v<T>) return std::move(*value_);
    }

    /// The Temporal failure that came in place of the value; null for success and other exceptions.
    std::optional<FailureError> error() const {
        std::optional<FailureError> found;
        inspect([&](const FailureError& error) { found = error; });
        return found;
    }

    std::exception_ptr exception() const { return error_; }

private:
    template <class Visitor>
    void inspect(Visitor visitor) const {
        if (!error_) return;
        try {
            std::rethrow_exception(error_);
        } catch (const FailureError& error) {
            visitor(error);
        } catch (...) {
        }
    }

    std::optional<Stored> value_;
    std::exception_ptr error_;
};

}  // namespace stele
