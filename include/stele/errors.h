#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stele/payload.h"
#include "stele/rpc_code.h"

namespace temporal::api::failure::v1 {
class Failure;
}

// Everything that the SDK throws derives from stele::Error. There are two families below it:
//
//   * FailureError and what derives from it mirror Temporal's failures. They cross process and
//     language borders. Thrown out of a workflow they fail the workflow; every other exception
//     fails the workflow task, which is then tried again, so a bug can be repaired and deployed
//     while the workflow waits.
//   * the rest tells a caller about a call: RpcError, WorkflowFailedError, ...
//
// All of them are values: cheap to copy, safe to use from several threads.
namespace stele {

class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A value could not be turned into a payload or back.
class DataConversionError : public Error {
public:
    using Error::Error;
};

/// An SDK function was called where it has no meaning: outside a workflow, in a query, ...
class IllegalCallError : public Error {
public:
    using Error::Error;
};

/// Options, a profile or a file of certificates that make no sense. `what()` names the value.
class ConfigurationError : public Error {
public:
    using Error::Error;
};

/// Data over the limits of ClientOptions::payload_limits, which was not sent. `what()` names it.
class PayloadTooLargeError : public Error {
public:
    using Error::Error;
};

/// What a server answered to one call, after all retries. `code()` is an RpcCode.
class RpcError : public Error {
public:
    RpcError(int code, std::string message) : Error(std::move(message)), code_(code) {}
    int code() const { return code_; }

private:
    int code_;
};

/// There is no such workflow, namespace, ...
class NotFoundError : public RpcError {
public:
    explicit NotFoundError(std::string message);
};

/// The workflow id is taken, and the policies of the start do not allow to use it again.
class WorkflowAlreadyStartedError : public RpcError {
public:
    WorkflowAlreadyStartedError(std::string message, std::string workflow_id, std::string run_id);
    const std::string& workflow_id() const { return workflow_id_; }
    const std::string& run_id() const { return run_id_; }

private:
    std::string workflow_id_;
    std::string run_id_;
};

/// There is one with this id already: a schedule, ...
class AlreadyExistsError : public RpcError {
public:
    explicit AlreadyExistsError(std::string message);
};

/// The query ran and failed, or no handler has that name.
class QueryFailedError : public RpcError {
public:
    explicit QueryFailedError(std::string message);
};

/// The workflow was in a state that the query's reject condition excludes.
class QueryRejectedError : public Error {
public:
    using Error::Error;
};

/// A failure of a workflow or an activity, as it is recorded in histories.
///
/// `cause()` leads to what lies below: an ActivityError is caused by the ApplicationError that
/// the activity threw, or by a TimeoutError.
class FailureError : public Error {
public:
    using Proto = temporal::api::failure::v1::Failure;

    explicit FailureError(std::shared_ptr<const Proto> proto);

    /// The message alone, without the kind that what() puts before it.
    const std::string& message() const;
    const std::string& source() const;
    const std::string& stack_trace() const;
    /// Null when nothing lies below.
    std::shared_ptr<const FailureError> cause() const { return cause_; }
    /// The recorded message, for what this class does not offer and for faithful forwarding.
    const Proto& proto() const { return *proto_; }

    /// The innermost failure of the chain.
    const FailureError& root() const;
    /// True for a cancellation, also one that an activity or a child reports.
    bool is_cancellation() const;

protected:
    void set_cause(std::shared_ptr<const FailureError> cause) { cause_ = std::move(cause); }

private:
    std::shared_ptr<const Proto> proto_;
    std::shared_ptr<const FailureError> cause_;
};

enum class ErrorCategory { kUnspecified = 0, kBenign = 1 };

struct ApplicationErrorOptions {
    /// What retry policies and callers in other languages match on.
    std::string type = {};
    bool non_retryable = false;
    /// Overrides the retry policy's next interval when set.
    std::optional<std::chrono::milliseconds> next_retry_delay = {};
    ErrorCategory category = ErrorCategory::kUnspecified;
    /// Encoded with details(...).
    Payloads details = {};
    std::shared_ptr<const FailureError> cause = {};
};

/// What application code throws to fail an activity or a workflow on purpose.
class ApplicationError : public FailureError {
public:
    using FailureError::FailureError;
    explicit ApplicationError(std::string message, ApplicationErrorOptions options = {});

    const std::string& type() const;
    bool non_retryable() const;
    ErrorCategory category() const;
    Payloads detail_payloads() const;

    /// Decodes the detail at `index`; throws DataConversionError when there is none.
    template <class T>
    T detail(std::size_t index = 0) const {
        return decode_argument<T>(detail_payloads(), index);
    }
};

/// Cancellation, seen by a workflow as an exception at an await, thrown by an activity to confirm.
class CanceledError : public FailureError {
public:
    using FailureError::FailureError;
    explicit CanceledError(std::string message = "canceled", Payloads details = {});
    Payloads detail_payloads() const;
};

enum class TimeoutKind {
    kUnspecified = 0,
    kStartToClose = 1,
    kScheduleToStart = 2,
    kScheduleToClose = 3,
    kHeartbeat = 4
};

class TimeoutError : public FailureError {
public:
    using FailureError::FailureError;
    TimeoutError(std::string message, TimeoutKind kind);
    TimeoutKind kind() const;
    Payloads last_heartbeat_details() const;
};

class TerminatedError : public FailureError {
public:
    using FailureError::FailureError;
    explicit TerminatedError(std::string message);
};

class ServerError : public FailureError {
public:
    using FailureError::FailureError;
    bool non_retryable() const;
};

class ActivityError : public FailureError {
public:
    using FailureError::FailureError;
    const std::string& activity_type() const;
    const std::string& activity_id() const;
    /// The value of temporal.api.enums.v1.RetryState.
    int retry_state() const;
};

class ChildWorkflowError : public FailureError {
public:
    using FailureError::FailureError;
    const std::string& workflow_id() const;
    const std::string& run_id() const;
    const std::string& workflow_type() const;
};

/// A workflow ended without a result. `cause()` says how: ApplicationError, CanceledError,
/// TerminatedError or TimeoutError.
class WorkflowFailedError : public Error {
public:
    WorkflowFailedError(std::string workflow_id, std::string run_id,
                        std::shared_ptr<const FailureError> cause);
    const std::string& workflow_id() const { return workflow_id_; }
    /// The run that ended, which may be a later one than the run that was started.
    const std::string& run_id() const { return run_id_; }
    const FailureError& cause() const { return *cause_; }

private:
    std::string workflow_id_;
    std::string run_id_;
    std::shared_ptr<const FailureError> cause_;
};

/// The workflow code and its history do not fit together. `what()` names the event and the step.
class NondeterminismError : public Error {
public:
    using Error::Error;
};

/// The exception that mirrors a recorded failure, with its whole chain of causes.
std::shared_ptr<const FailureError> failure_to_error(const temporal::api::failure::v1::Failure&);
/// Throws the concrete exception type that mirrors a recorded failure.
[[noreturn]] void throw_failure(const temporal::api::failure::v1::Failure& failure);
/// Any exception as a failure: a FailureError keeps its original message, others become
/// application failures whose type is the exception's class.
temporal::api::failure::v1::Failure error_to_failure(const std::exception_ptr& error);

}  // namespace stele
