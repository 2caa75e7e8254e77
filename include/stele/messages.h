#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "stele/detail/handlers.h"
#include "stele/workflow.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
// A coroutine template may well be used with a type of an anonymous namespace.
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif

// How a workflow that is a function hears of signals, queries and updates. A workflow that is a class
// registers member functions instead (worker.h). Handlers may be set and replaced at any time; they
// get what arrived before they were set, except for updates that came in an earlier workflow task:
// those were rejected.
//
// A handler that is a coroutine lambda may capture what lives as long as the main routine does; the
// lambda itself is kept until its work has ended.
namespace stele::wf {

namespace detail {

void set_signal_handler(std::string_view name, SignalHandler handler);
void set_query_handler(std::string_view name, QueryHandler handler);
void set_update_handler(std::string_view name, UpdateHandler handler);
void set_dynamic_signal_handler(SignalHandler handler);
void set_dynamic_query_handler(QueryHandler handler);
void set_dynamic_update_handler(UpdateHandler handler);

template <class F>
using call_signature = stele::detail::signature<decltype(&F::operator())>;

/// Calls the function that `kept` points to, which must outlive the work.
template <class F>
auto by_pointer(const std::shared_ptr<F>& kept) {
    return [function = kept.get()](auto&&... values) {
        return (*function)(std::forward<decltype(values)>(values)...);
    };
}

template <class F>
UpdateHandler make_update_handler(F function, const HandlerOptions& options) {
    auto kept = std::make_shared<F>(std::move(function));
    UpdateHandler handler;
    handler.handle = [kept](void*, const std::string&, const Payloads& input) {
        return start_handler<call_signature<F>>(by_pointer(kept), input);
    };
    handler.description = options.description;
    handler.unfinished = options.unfinished;
    return handler;
}

template <class F>
void set_validator(UpdateHandler& handler, F validator) {
    auto kept = std::make_shared<F>(std::move(validator));
    handler.validate = [kept](void*, const std::string&, const Payloads& input) {
        handle_signal<call_signature<F>>(by_pointer(kept), input);
    };
}

}  // namespace detail

/// Answers a query. The handler must not change anything.
template <class F>
void on_query(std::string_view name, F handler, const HandlerOptions& options = {}) {
    auto kept = std::make_shared<F>(std::move(handler));
    detail::set_query_handler(name, {[kept](void*, const std::string&, const Payloads& input) {
                                         return detail::answer_query<detail::call_signature<F>>(
                                             detail::by_pointer(kept), input);
                                     },
                                     options.description});
}

/// Handles the signals of one name, including those that came before. The handler may be a
/// coroutine; several may then be at work at a time. A signal whose arguments cannot be read is
/// dropped with a warning.
template <class F>
void on_signal(std::string_view name, F handler, const HandlerOptions& options = {}) {
    auto kept = std::make_shared<F>(std::move(handler));
    detail::set_signal_handler(name, {[kept](void*, const std::string&, const Payloads& input) {
                                          return detail::handle_signal<detail::call_signature<F>>(
                                              detail::by_pointer(kept), input);
                                      },
                                      options.description, options.unfinished});
}

/// Handles the updates of one name: what the handler returns, or awaits and then returns, is the
/// update's result; a Temporal failure that it throws is the update's failure; any other exception
/// fails the workflow task. Arguments that cannot be read reject the update.
template <class F>
void on_update(std::string_view name, F handler, const HandlerOptions& options = {}) {
    detail::set_update_handler(name, detail::make_update_handler(std::move(handler), options));
}

/// The same with a validator, which gets the same arguments first and throws to reject the update:
/// then the handler is not called and the history keeps no trace of it. It must not change anything,
/// and is not called again when the past is repeated.
template <class F, class V>
    requires std::is_void_v<typename detail::call_signature<V>::result>
void on_update(std::string_view name, F handler, V validator, const HandlerOptions& options = {}) {
    auto made = detail::make_update_handler(std::move(handler), options);
    detail::set_validator(made, std::move(validator));
    detail::set_update_handler(name, std::move(made));
}

/// Handlers for every name that has none of its own. They take the name and the payloads, which
/// decode_argument<T>(payloads, index) reads.
template <class F>
void on_dynamic_signal(F handler) {
    auto kept = std::make_shared<F>(std::move(handler));
    detail::set_dynamic_signal_handler({[kept](void*, const std::string& name,
                                               const Payloads& input) -> std::optional<task<void>> {
        if constexpr (detail::call_signature<F>::is_coroutine) {
            return (*kept)(name, input);
        } else {
            (*kept)(name, input);
            return std::nullopt;
        }
    }});
}
template <class F>
void on_dynamic_query(F handler) {
    auto kept = std::make_shared<F>(std::move(handler));
    detail::set_dynamic_query_handler(
        {[kept](void*, const std::string& name, const Payloads& input) {
            return encode_value((*kept)(name, input));
        }});
}
template <class F>
void on_dynamic_update(F handler) {
    auto kept = std::make_shared<F>(std::move(handler));
    detail::UpdateHandler made;
    made.handle = [kept](void*, const std::string& name, const Payloads& input) {
        if constexpr (detail::call_signature<F>::is_coroutine)
            return detail::encode_result((*kept)(name, input));
        else
            return detail::run_plain([kept, name, input] { return (*kept)(name, input); });
    };
    detail::set_dynamic_update_handler(std::move(made));
}

/// True when no signal or update handler is at work. Wait for it before the run ends, so that whoever
/// sent an update gets its answer: `co_await wf::until(wf::all_handlers_finished)`.
bool all_handlers_finished();

struct UpdateInfo {
    std::string id;
    std::string name;
};
/// The update that the calling code works for; null outside of update handlers.
const UpdateInfo* current_update();

/// Signals of one name, in the order of their arrival, for function workflows. Signals that came
/// before it was made are not lost. Keep it where it lives as long as the workflow waits for it.
template <class T>
class signals {
public:
    explicit signals(std::string_view name) : received_(std::make_shared<std::deque<T>>()) {
        on_signal(name, [received = received_](T value) { received->push_back(std::move(value)); });
    }

    bool empty() const { return received_->empty(); }

    /// Waits for the next one.
    task<T> next() { return next_of(received_); }

private:
    static task<T> next_of(std::shared_ptr<std::deque<T>> received) {
        auto arrived = [raw = received.get()] { return !raw->empty(); };
        co_await until(arrived);
        T first = std::move(received->front());
        received->pop_front();
        co_return first;
    }

    std::shared_ptr<std::deque<T>> received_;
};

}  // namespace stele::wf

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
