#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stele/search_attributes.h"

// What stands between the SDK and the code that uses it: for tracing, for authorisation, for anything
// that every call shall carry along.
namespace stele {

/// Payloads by name that travel beside the arguments of a call, such as the ids of a trace. Codecs do
/// not see them.
using Headers = PayloadFields;

/// One call from one part of an application to another.
struct InterceptedCall {
    enum class Kind {
        kWorkflow,  ///< The start of one; also that of a child, or of the next run.
        kSignal,
        kQuery,
        kUpdate,
        kActivity,
        kLocalActivity,
    };
    Kind kind;
    /// Of the workflow type, the signal, the activity type, ...
    std::string name;
    /// The workflow that is called, or that the code works for.
    std::string workflow_id;
};

/// Sees the calls of a client and of its workers. Every function has a default that does nothing, and
/// may be called from any thread, several at a time.
class Interceptor {
public:
    virtual ~Interceptor() = default;

    /// Before a client sends a call: may add headers. What it throws is thrown to the caller.
    virtual void client_calls(const InterceptedCall&, Headers&) const {}
    /// Before workflow code asks for something: may add headers, for instance those that its own run
    /// was started with (wf::info().headers). Must be as deterministic as workflow code, and may use
    /// what that may use.
    virtual void workflow_calls(const InterceptedCall&, Headers&) const {}
    /// Before workflow code gets a start, a signal or an update. As deterministic as workflow code.
    virtual void workflow_is_called(const InterceptedCall&, const Headers&) const {}
    /// Around an activity, on its thread: calls `next` and gives what that gives, or something else.
    virtual std::optional<Payload> around_activity(
        const InterceptedCall&, const Headers&,
        const std::function<std::optional<Payload>()>& next) const {
        return next();
    }
};

/// The first one is the outermost.
using Interceptors = std::vector<std::shared_ptr<const Interceptor>>;

}  // namespace stele
