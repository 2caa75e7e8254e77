#pragma once

#include "base/status.h"
#include "base/time.h"

#include <absl/functional/any_invocable.h>

#include <memory>

// What every asynchronous call through the engine carries: when the caller stops waiting, whether
// it has gone, and where the answer is to go.
namespace stele {

/// Receives the outcome of a call, exactly once, on any executor.
template <typename T>
using Reply = absl::AnyInvocable<void(absl::StatusOr<T>)>;

/// The caller's side of a call: its deadline and its disappearance. Shared by the transport, which
/// cancels it, and by whoever holds the call open. Thread safe.
class CallScope {
public:
    virtual ~CallScope() = default;

    /// When the caller gives up; kNever when it did not say.
    virtual Timestamp deadline() const = 0;
    /// True once the caller has gone; an answer would reach nobody.
    virtual bool cancelled() const = 0;
    /// Runs `closure` once when the caller goes, on an unspecified thread, or at once if it has
    /// gone already. At most one closure per scope; setting an empty one removes it. After the
    /// removal returns, the closure is not running and never will.
    virtual void on_cancel(absl::AnyInvocable<void()> closure) = 0;
};
using CallScopePtr = std::shared_ptr<CallScope>;

}  // namespace stele
