#include "stele/errors.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "sdk/data/class_name.h"
#include "sdk/data/convert.h"
#include "stele/options.h"
#include "temporal/api/failure/v1/message.pb.h"

namespace stele {

namespace {

using temporal::api::failure::v1::Failure;
using FailurePointer = std::shared_ptr<const Failure>;

constexpr char kSource[] = "CppSDK";

template <class Concrete>
std::shared_ptr<const FailureError> make(FailurePointer proto) {
    return std::make_shared<const Concrete>(std::move(proto));
}

std::shared_ptr<const FailureError> make_error(FailurePointer proto) {
    switch (proto->failure_info_case()) {
        case Failure::kApplicationFailureInfo: return make<ApplicationError>(std::move(proto));
        case Failure::kCanceledFailureInfo: return make<CanceledError>(std::move(proto));
        case Failure::kTimeoutFailureInfo: return make<TimeoutError>(std::move(proto));
        case Failure::kTerminatedFailureInfo: return make<TerminatedError>(std::move(proto));
        case Failure::kServerFailureInfo: return make<ServerError>(std::move(proto));
        case Failure::kActivityFailureInfo: return make<ActivityError>(std::move(proto));
        case Failure::kChildWorkflowExecutionFailureInfo:
            return make<ChildWorkflowError>(std::move(proto));
        default: return make<FailureError>(std::move(proto));
    }
}

// The message and the stack trace may travel in a payload of their own, so that codecs see them.
Failure with_plain_attributes(const Failure& failure) {
    Failure plain = failure;
    if (!failure.has_encoded_attributes()) return plain;
    const auto json = nlohmann::json::parse(failure.encoded_attributes().data(), nullptr, false);
    if (!json.is_object()) return plain;
    plain.set_message(json.value("message", failure.message()));
    plain.set_stack_trace(json.value("stack_trace", failure.stack_trace()));
    return plain;
}

std::string describe(const Failure& failure) {
    switch (failure.failure_info_case()) {
        case Failure::kApplicationFailureInfo: {
            const std::string& type = failure.application_failure_info().type();
            return type.empty() ? failure.message() : type + ": " + failure.message();
        }
        case Failure::kTimeoutFailureInfo: return "timed out: " + failure.message();
        case Failure::kTerminatedFailureInfo: return "terminated: " + failure.message();
        case Failure::kActivityFailureInfo:
            return "activity " + failure.activity_failure_info().activity_type().name() +
                   " failed" +
                   (failure.has_cause() ? ": " + describe(failure.cause()) : std::string());
        case Failure::kChildWorkflowExecutionFailureInfo:
            return "child workflow " +
                   failure.child_workflow_execution_failure_info().workflow_type().name() +
                   " failed" +
                   (failure.has_cause() ? ": " + describe(failure.cause()) : std::string());
        default: return failure.message();
    }
}

FailurePointer application_proto(std::string message, const ApplicationErrorOptions& options) {
    auto proto = std::make_shared<Failure>();
    proto->set_message(std::move(message));
    proto->set_source(kSource);
    auto& info = *proto->mutable_application_failure_info();
    info.set_type(options.type);
    info.set_non_retryable(options.non_retryable);
    info.set_category(static_cast<temporal::api::enums::v1::ApplicationErrorCategory>(
        static_cast<int>(options.category)));
    if (options.next_retry_delay)
        *info.mutable_next_retry_delay() = sdk::to_duration(*options.next_retry_delay);
    if (!options.details.empty()) *info.mutable_details() = sdk::to_message(options.details);
    if (options.cause) *proto->mutable_cause() = options.cause->proto();
    return proto;
}

FailurePointer canceled_proto(std::string message, Payloads details) {
    auto proto = std::make_shared<Failure>();
    proto->set_message(std::move(message));
    proto->set_source(kSource);
    auto& info = *proto->mutable_canceled_failure_info();
    if (!details.empty()) *info.mutable_details() = sdk::to_message(std::move(details));
    return proto;
}

FailurePointer timeout_proto(std::string message, TimeoutKind kind) {
    auto proto = std::make_shared<Failure>();
    proto->set_message(std::move(message));
    proto->set_source(kSource);
    proto->mutable_timeout_failure_info()->set_timeout_type(
        static_cast<temporal::api::enums::v1::TimeoutType>(static_cast<int>(kind)));
    return proto;
}

FailurePointer terminated_proto(std::string message) {
    auto proto = std::make_shared<Failure>();
    proto->set_message(std::move(message));
    proto->mutable_terminated_failure_info();
    return proto;
}

}  // namespace

NotFoundError::NotFoundError(std::string message) : RpcError(kRpcNotFound, std::move(message)) {}

AlreadyExistsError::AlreadyExistsError(std::string message)
    : RpcError(kRpcAlreadyExists, std::move(message)) {}

QueryFailedError::QueryFailedError(std::string message)
    : RpcError(kRpcInvalidArgument, std::move(message)) {}

WorkflowAlreadyStartedError::WorkflowAlreadyStartedError(std::string message,
                                                         std::string workflow_id,
                                                         std::string run_id)
    : RpcError(kRpcAlreadyExists, std::move(message)),
      workflow_id_(std::move(workflow_id)),
      run_id_(std::move(run_id)) {}

FailureError::FailureError(FailurePointer proto)
    : Error(describe(*proto)), proto_(std::move(proto)) {
    if (proto_->has_cause())
        cause_ =
            make_error(std::make_shared<const Failure>(with_plain_attributes(proto_->cause())));
}

const std::string& FailureError::message() const { return proto_->message(); }
const std::string& FailureError::source() const { return proto_->source(); }
const std::string& FailureError::stack_trace() const { return proto_->stack_trace(); }

const FailureError& FailureError::root() const {
    const FailureError* innermost = this;
    while (innermost->cause_) innermost = innermost->cause_.get();
    return *innermost;
}

bool FailureError::is_cancellation() const {
    switch (proto_->failure_info_case()) {
        case Failure::kCanceledFailureInfo: return true;
        case Failure::kActivityFailureInfo:
        case Failure::kChildWorkflowExecutionFailureInfo:
        case Failure::kNexusOperationExecutionFailureInfo:
            return proto_->has_cause() && proto_->cause().has_canceled_failure_info();
        default: return false;
    }
}

ApplicationError::ApplicationError(std::string message, ApplicationErrorOptions options)
    : FailureError(application_proto(std::move(message), options)) {}

const std::string& ApplicationError::type() const {
    return proto().application_failure_info().type();
}
bool ApplicationError::non_retryable() const {
    return proto().application_failure_info().non_retryable();
}
ErrorCategory ApplicationError::category() const {
    return static_cast<ErrorCategory>(proto().application_failure_info().category());
}
Payloads ApplicationError::detail_payloads() const {
    return sdk::to_vector(proto().application_failure_info().details());
}

CanceledError::CanceledError(std::string message, Payloads details)
    : FailureError(canceled_proto(std::move(message), std::move(details))) {}
Payloads CanceledError::detail_payloads() const {
    return sdk::to_vector(proto().canceled_failure_info().details());
}

TimeoutError::TimeoutError(std::string message, TimeoutKind kind)
    : FailureError(timeout_proto(std::move(message), kind)) {}
TimeoutKind TimeoutError::kind() const {
    return static_cast<TimeoutKind>(proto().timeout_failure_info().timeout_type());
}
Payloads TimeoutError::last_heartbeat_details() const {
    return sdk::to_vector(proto().timeout_failure_info().last_heartbeat_details());
}

TerminatedError::TerminatedError(std::string message)
    : FailureError(terminated_proto(std::move(message))) {}

bool ServerError::non_retryable() const { return proto().server_failure_info().non_retryable(); }

const std::string& ActivityError::activity_type() const {
    return proto().activity_failure_info().activity_type().name();
}
const std::string& ActivityError::activity_id() const {
    return proto().activity_failure_info().activity_id();
}
int ActivityError::retry_state() const { return proto().activity_failure_info().retry_state(); }

const std::string& ChildWorkflowError::workflow_id() const {
    return proto().child_workflow_execution_failure_info().workflow_execution().workflow_id();
}
const std::string& ChildWorkflowError::run_id() const {
    return proto().child_workflow_execution_failure_info().workflow_execution().run_id();
}
const std::string& ChildWorkflowError::workflow_type() const {
    return proto().child_workflow_execution_failure_info().workflow_type().name();
}

WorkflowFailedError::WorkflowFailedError(std::string workflow_id, std::string run_id,
                                         std::shared_ptr<const FailureError> cause)
    : Error("workflow " + workflow_id + " did not complete: " + cause->what()),
      workflow_id_(std::move(workflow_id)),
      run_id_(std::move(run_id)),
      cause_(std::move(cause)) {}

std::shared_ptr<const FailureError> failure_to_error(const Failure& failure) {
    return make_error(std::make_shared<const Failure>(with_plain_attributes(failure)));
}

void throw_failure(const Failure& failure) {
    const std::shared_ptr<const FailureError> error = failure_to_error(failure);
    switch (failure.failure_info_case()) {
        case Failure::kApplicationFailureInfo: throw static_cast<const ApplicationError&>(*error);
        case Failure::kCanceledFailureInfo: throw static_cast<const CanceledError&>(*error);
        case Failure::kTimeoutFailureInfo: throw static_cast<const TimeoutError&>(*error);
        case Failure::kTerminatedFailureInfo: throw static_cast<const TerminatedError&>(*error);
        case Failure::kServerFailureInfo: throw static_cast<const ServerError&>(*error);
        case Failure::kActivityFailureInfo: throw static_cast<const ActivityError&>(*error);
        case Failure::kChildWorkflowExecutionFailureInfo:
            throw static_cast<const ChildWorkflowError&>(*error);
        default: throw *error;
    }
}

Failure error_to_failure(const std::exception_ptr& error) {
    Failure failure;
    failure.set_source(kSource);
    try {
        std::rethrow_exception(error);
    } catch (const FailureError& known) {
        return known.proto();
    } catch (const std::exception& other) {
        failure.set_message(other.what());
        failure.mutable_application_failure_info()->set_type(sdk::class_name_of(other));
    } catch (...) {
        failure.set_message("something that is not a std::exception was thrown");
        failure.mutable_application_failure_info()->set_type("unknown");
    }
    return failure;
}

}  // namespace stele
