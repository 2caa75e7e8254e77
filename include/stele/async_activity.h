#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "stele/errors.h"
#include "stele/payload.h"

// Ending an activity from somewhere else than the function that began it: a call-back, another
// process, a person. The function says activity::complete_elsewhere(); whoever has its task token, or
// knows its ids, ends it with a handle.
namespace stele {

namespace sdk {
class ClientCore;
}

/// The activity need not go on: its workflow has asked for the cancellation, or it is paused or has
/// been reset.
class ActivityStoppedError : public Error {
public:
    enum class Reason { kCancelRequested, kPaused, kReset };
    explicit ActivityStoppedError(Reason reason);
    Reason reason() const { return reason_; }

private:
    Reason reason_;
};

/// An activity that is ended from here. A cheap value; safe to use from any thread. Every call throws
/// NotFoundError when the activity has ended or its attempt is over.
class AsyncActivityHandle {
public:
    /// By the token that activity::info() gave to the function.
    AsyncActivityHandle(std::shared_ptr<sdk::ClientCore> core, std::string task_token);
    /// By its ids; an empty run id means the current run.
    AsyncActivityHandle(std::shared_ptr<sdk::ClientCore> core, std::string workflow_id,
                        std::string run_id, std::string activity_id);

    template <class T>
    void complete(const T& result) const {
        complete_payloads(encode_arguments(result));
    }
    void complete() const { complete_payloads({}); }
    /// Ends the attempt; the retry policy decides about the next one.
    void fail(const FailureError& error) const;
    /// Confirms a cancellation that the workflow has asked for.
    template <class... T>
    void report_cancellation(const T&... details) const {
        report_cancellation_payloads(encode_arguments(details...));
    }
    /// Tells that it is alive. Throws ActivityStoppedError when it should stop.
    template <class... T>
    void heartbeat(const T&... details) const {
        heartbeat_payloads(encode_arguments(details...));
    }

    void complete_payloads(Payloads result) const;
    void report_cancellation_payloads(Payloads details) const;
    void heartbeat_payloads(Payloads details) const;

private:
    template <class Request>
    Request make() const;

    std::shared_ptr<sdk::ClientCore> core_;
    std::string task_token_;
    std::string workflow_id_;
    std::string run_id_;
    std::string activity_id_;
};

}  // namespace stele
