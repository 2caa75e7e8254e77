#include "history/nexus_family.h"
#include "history/nexus_links.h"

#include <algorithm>
#include <array>
#include <utility>

// Calls of the handlers of operations: what is sent, and what the answers mean.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using api::failure::v1::Failure;
using api::nexus::v1::HandlerError;
using api::nexus::v1::Response;
using api::nexus::v1::StartOperationResponse;
using Kind = NexusOutcome::Kind;

/// Where handlers in this server send word of operations that go on by themselves.
constexpr char kSystemCallback[] = "temporal://system";
constexpr char kUpstreamTimeout[] = "UPSTREAM_TIMEOUT";

// ---- What is sent --------------------------------------------------------------------------

api::common::v1::Link::WorkflowEvent caller_link(const Run& run, EventId scheduled) {
    api::common::v1::Link::WorkflowEvent link;
    link.set_namespace_(run.info.namespace_());
    link.set_workflow_id(run.info.workflow_id());
    link.set_run_id(run.info.run_id());
    link.mutable_event_ref()->set_event_id(scheduled.value());
    link.mutable_event_ref()->set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED);
    return link;
}

/// How long the call may take by what the operation has left, and which timeout that is.
struct Allowance {
    Duration time{};
    TimeoutType timeout = enums::TIMEOUT_TYPE_UNSPECIFIED;
};

Allowance allowance_of(const storage::NexusOperationRow& row, const Context& context) {
    const Duration elapsed = context.now - from_proto(row.scheduled_time());
    const Duration to_start = from_proto(row.schedule_to_start());
    const Duration to_close = from_proto(row.schedule_to_close());
    Allowance allowance{context.limits->nexus_call};
    if (to_start > Duration::zero()) {
        allowance = {std::min(allowance.time, to_start - elapsed),
                     enums::TIMEOUT_TYPE_SCHEDULE_TO_START};
    } else if (to_close > Duration::zero()) {
        allowance = {std::min(allowance.time, to_close - elapsed),
                     enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE};
    }
    return allowance;
}

NexusOutcome out_of_time(TimeoutType type) {
    NexusOutcome outcome;
    outcome.kind = Kind::kTimedOut;
    outcome.failure = nexus_timeout_failure(type);
    return outcome;
}

Failure call_failure(const std::string& message) {
    Failure failure;
    failure.set_message(message);
    failure.mutable_application_failure_info()->set_type("CallError");
    failure.mutable_application_failure_info()->set_non_retryable(true);
    return failure;
}

NexusOutcome failed(Failure failure, Kind kind = Kind::kFailed) {
    NexusOutcome outcome;
    outcome.kind = kind;
    outcome.failure = std::move(failure);
    return outcome;
}

Failure handler_failure(const std::string& type, const std::string& message,
                        enums::NexusHandlerErrorRetryBehavior behaviour = {}) {
    Failure failure;
    failure.set_message(message);
    failure.mutable_nexus_handler_failure_info()->set_type(type);
    failure.mutable_nexus_handler_failure_info()->set_retry_behavior(behaviour);
    return failure;
}

/// The words of a duration that handlers read: milliseconds.
std::string milliseconds(Duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
           "ms";
}

/// Tells the handler how long the operation may take, unless the workflow does so itself.
void add_operation_timeout(const storage::NexusOperationRow& row, Timestamp now,
                           api::nexus::v1::Request& request) {
    Duration timeout = from_proto(row.start_to_close());
    const Duration whole = from_proto(row.schedule_to_close());
    if (whole > Duration::zero()) {
        const Duration left = whole - (now - from_proto(row.scheduled_time()));
        timeout = timeout > Duration::zero() ? std::min(timeout, left) : left;
    }
    if (timeout <= Duration::zero() || request.header().contains("operation-timeout")) return;
    (*request.mutable_header())["operation-timeout"] = milliseconds(timeout);
}

NexusCall call_of(const storage::NexusOperationRow& row, Duration timeout, Timestamp now) {
    NexusCall call;
    call.endpoint = row.endpoint();
    call.endpoint_id = row.endpoint_id();
    call.timeout = timeout;
    *call.request.mutable_header() = row.header();
    (*call.request.mutable_header())["request-timeout"] = milliseconds(timeout);
    *call.request.mutable_scheduled_time() = to_proto(now);
    call.request.mutable_capabilities()->set_temporal_failure_responses(true);
    call.request.set_endpoint(row.endpoint());
    return call;
}

NexusMessage system_message(const Run& run, const storage::NexusOperationRow& row,
                            const Context& context) {
    // What is allowed may have changed since the operation was scheduled.
    auto request = system_request(row.service(), row.operation(), row.input(), run.info,
                                  row.request_id(), context);
    if (!request.ok()) {
        return outcome_of(SystemCall(), absl::StatusOr<SignalWithStartAnswer>(request.status()));
    }
    *request->add_links()->mutable_workflow_event() =
        caller_link(run, EventId(row.scheduled_event_id()));
    return SystemCall{*std::move(request), row.new_run_id()};
}

// ---- What answers mean ---------------------------------------------------------------------

/// By what a handler says of an error, or else by its type.
bool may_pass(const std::string& type, enums::NexusHandlerErrorRetryBehavior behaviour) {
    if (behaviour == enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_RETRYABLE) return true;
    if (behaviour == enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE) return false;
    constexpr std::array kFinal = {"BAD_REQUEST", "UNAUTHENTICATED", "UNAUTHORIZED",
                                   "NOT_FOUND",   "NOT_IMPLEMENTED", "CONFLICT"};
    return std::find(kFinal.begin(), kFinal.end(), type) == kFinal.end();
}

Failure from_nexus_failure(const api::nexus::v1::Failure& from) {
    Failure failure;
    failure.set_message(from.message());
    failure.set_stack_trace(from.stack_trace());
    if (from.has_cause()) *failure.mutable_cause() = from_nexus_failure(from.cause());
    return failure;
}

template <typename Links>
std::vector<api::common::v1::Link> read_links(const Links& links) {
    std::vector<api::common::v1::Link> result;
    for (const api::nexus::v1::Link& link : links) {
        if (auto read = from_nexus_link(link)) result.push_back(*std::move(read));
    }
    return result;
}

NexusOutcome succeeded(const StartOperationResponse::Sync& answer, const Limits& limits) {
    if (answer.payload().ByteSizeLong() > limits.blob_bytes) {
        return failed(call_failure("http: response body too large"));
    }
    NexusOutcome outcome;
    outcome.kind = Kind::kSucceeded;
    outcome.result = answer.payload();
    outcome.links = read_links(answer.links());
    return outcome;
}

NexusOutcome started(const StartOperationResponse::Async& answer, const Limits& limits) {
    NexusOutcome outcome;
    outcome.kind = Kind::kStarted;
    outcome.operation_token =
        answer.operation_token().empty() ? answer.operation_id() : answer.operation_token();
    if (outcome.operation_token.size() > limits.nexus_token_length) {
        return failed(call_failure("invalid operation token: length exceeds allowed limit (" +
                                   std::to_string(outcome.operation_token.size()) + "/" +
                                   std::to_string(limits.nexus_token_length) + ")"));
    }
    outcome.links = read_links(answer.links());
    return outcome;
}

NexusOutcome unsuccessful(const api::nexus::v1::UnsuccessfulOperationError& error) {
    Failure failure = from_nexus_failure(error.failure());
    if (error.operation_state() == "canceled") {
        failure.mutable_canceled_failure_info();
        return failed(std::move(failure), Kind::kCanceled);
    }
    failure.mutable_application_failure_info()->set_type("OperationError");
    failure.mutable_application_failure_info()->set_non_retryable(true);
    return failed(std::move(failure));
}

NexusOutcome answered(const Response& response, const Limits& limits) {
    if (response.has_cancel_operation()) {
        NexusOutcome outcome;
        outcome.kind = Kind::kSucceeded;
        return outcome;
    }
    const StartOperationResponse& start = response.start_operation();
    switch (start.variant_case()) {
        case StartOperationResponse::kSyncSuccess: return succeeded(start.sync_success(), limits);
        case StartOperationResponse::kAsyncSuccess: return started(start.async_success(), limits);
        case StartOperationResponse::kOperationError: return unsuccessful(start.operation_error());
        case StartOperationResponse::kFailure:
            return failed(start.failure(), start.failure().has_canceled_failure_info()
                                               ? Kind::kCanceled
                                               : Kind::kFailed);
        default: return failed(handler_failure("INTERNAL", "empty outcome"), Kind::kRetry);
    }
}

NexusOutcome refused(const HandlerError& error) {
    Failure failure =
        handler_failure(error.error_type(), error.failure().message(), error.retry_behavior());
    const bool again = may_pass(error.error_type(), error.retry_behavior());
    return failed(std::move(failure), again ? Kind::kRetry : Kind::kFailed);
}

NexusOutcome refused(const Failure& failure) {
    const auto& info = failure.nexus_handler_failure_info();
    const bool again = may_pass(info.type(), info.retry_behavior());
    return failed(failure, again ? Kind::kRetry : Kind::kFailed);
}

/// What clients of Temporal's SDK for Go call an error; its message begins with it.
std::string error_name(const absl::Status& status) {
    switch (status.code()) {
        case absl::StatusCode::kInvalidArgument: return "InvalidArgument";
        case absl::StatusCode::kNotFound: return "NotFound";
        case absl::StatusCode::kAlreadyExists: return "WorkflowExecutionAlreadyStarted";
        case absl::StatusCode::kFailedPrecondition: return "FailedPrecondition";
        case absl::StatusCode::kPermissionDenied: return "PermissionDenied";
        case absl::StatusCode::kUnimplemented: return "Unimplemented";
        case absl::StatusCode::kResourceExhausted: return "ResourceExhausted";
        case absl::StatusCode::kDeadlineExceeded: return "DeadlineExceeded";
        case absl::StatusCode::kInternal: return "Internal";
        default: return "Unavailable";
    }
}

bool is_final(const absl::Status& status) {
    switch (status.code()) {
        case absl::StatusCode::kInvalidArgument:
        case absl::StatusCode::kNotFound:
        case absl::StatusCode::kAlreadyExists:
        case absl::StatusCode::kFailedPrecondition:
        case absl::StatusCode::kPermissionDenied:
        case absl::StatusCode::kUnimplemented: return true;
        default: return false;
    }
}

}  // namespace

NexusMessage nexus_start_message(const Run& run, EventId scheduled, const Context& context) {
    const storage::NexusOperationRow* row = run.nexus_operations.find(scheduled.value());
    if (!run.is_open() || row == nullptr || is_started(*row)) return {};
    const Allowance allowance = allowance_of(*row, context);
    if (allowance.time < context.limits->nexus_least_call) return out_of_time(allowance.timeout);
    if (row->endpoint_id().empty()) return system_message(run, *row, context);
    NexusCall call = call_of(*row, allowance.time, context.now);
    add_operation_timeout(*row, context.now, call.request);
    auto& start = *call.request.mutable_start_operation();
    start.set_service(row->service());
    start.set_operation(row->operation());
    start.set_request_id(row->request_id());
    start.set_callback(kSystemCallback);
    *start.mutable_payload() = row->input();
    *start.add_links() = to_nexus_link(caller_link(run, scheduled));
    return call;
}

NexusMessage nexus_cancel_message(const Run& run, EventId scheduled, const Context& context) {
    const storage::NexusOperationRow* row = run.nexus_operations.find(scheduled.value());
    const bool waits = run.is_open() && row != nullptr && is_started(*row) &&
                       row->has_cancellation() && !row->cancellation().over();
    if (!waits) return {};
    NexusCall call = call_of(*row, context.limits->nexus_call, context.now);
    auto& cancel = *call.request.mutable_cancel_operation();
    cancel.set_service(row->service());
    cancel.set_operation(row->operation());
    cancel.set_operation_token(row->operation_token());
    cancel.set_operation_id(row->operation_token());
    return call;
}

NexusOutcome outcome_of(const absl::StatusOr<NexusAnswer>& answer, const Limits& limits) {
    if (answer.ok()) {
        if (const auto* response = std::get_if<Response>(&*answer)) {
            return answered(*response, limits);
        }
        if (const auto* error = std::get_if<HandlerError>(&*answer)) return refused(*error);
        return refused(std::get<Failure>(*answer));
    }
    if (answer.status().code() == absl::StatusCode::kNotFound) {
        return failed(handler_failure("NOT_FOUND", "endpoint not registered"));
    }
    return failed(handler_failure(kUpstreamTimeout, "upstream timeout"), Kind::kRetry);
}

NexusOutcome outcome_of(const SystemCall& call,
                        const absl::StatusOr<SignalWithStartAnswer>& answer) {
    if (!answer.ok()) {
        const bool final = is_final(answer.status());
        Failure failure;
        failure.set_message(error_name(answer.status()) + ": " + message_of(answer.status()));
        failure.mutable_server_failure_info()->set_non_retryable(final);
        return failed(std::move(failure), final ? Kind::kFailed : Kind::kRetry);
    }
    service::SignalWithStartWorkflowExecutionResponse response;
    response.set_run_id(answer->run_id);
    response.set_started(answer->started);
    auto& link = *response.mutable_signal_link()->mutable_workflow_event();
    link.set_namespace_(call.request.namespace_());
    link.set_workflow_id(call.request.workflow_id());
    link.set_run_id(answer->run_id);
    link.mutable_request_id_ref()->set_request_id(call.request.request_id());
    link.mutable_request_id_ref()->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);

    NexusOutcome outcome;
    outcome.kind = Kind::kSucceeded;
    outcome.links.push_back(response.signal_link());
    (*outcome.result.mutable_metadata())["encoding"] = "binary/protobuf";
    (*outcome.result.mutable_metadata())["messageType"] = response.GetDescriptor()->full_name();
    outcome.result.set_data(response.SerializeAsString());
    return outcome;
}

}  // namespace stele::history
