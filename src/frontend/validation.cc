#include "frontend/validation.h"

#include "base/time.h"
#include "frontend/namespaces.h"

#include <cctype>

namespace stele::frontend {
namespace {

constexpr Duration kMinimumPollTimeout = std::chrono::seconds(2);

bool is_uuid(std::string_view text) {
    constexpr std::size_t kLength = 36;
    if (text.size() != kLength) return false;
    for (std::size_t i = 0; i < kLength; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool is_run_id(std::string_view text) { return text.empty() || is_uuid(text); }

absl::Status validate_execution(bool set, const api::common::v1::WorkflowExecution& execution) {
    if (!set) return invalid_argument("Execution is not set on request.");
    if (execution.workflow_id().empty()) {
        return invalid_argument("WorkflowId is not set on request.");
    }
    if (!execution.run_id().empty() && !is_uuid(execution.run_id())) {
        return invalid_argument("Invalid RunId.");
    }
    return absl::OkStatus();
}

absl::Status validate_identity(std::string_view identity) {
    if (identity.size() > kMaximumNameBytes) {
        return invalid_argument("Identity length exceeds limit.");
    }
    return absl::OkStatus();
}

absl::Status validate_poll_deadline(Timestamp deadline, Timestamp now) {
    if (deadline == kNever) return invalid_argument("Context timeout is not set.");
    if (deadline - now < kMinimumPollTimeout) {
        return failed_precondition("Context timeout is too short.");
    }
    return absl::OkStatus();
}

absl::Status validate_signal(const service::SignalWorkflowExecutionRequest& request,
                             const history::Limits& limits) {
    STELE_RETURN_IF_ERROR(
        validate_execution(request.has_workflow_execution(), request.workflow_execution()));
    if (request.signal_name().empty()) {
        return invalid_argument("SignalName is not set on request.");
    }
    if (request.signal_name().size() > kMaximumNameBytes) {
        return invalid_argument("SignalName length exceeds limit.");
    }
    if (request.request_id().size() > kMaximumNameBytes) {
        return invalid_argument("RequestId length exceeds limit.");
    }
    return validate_blob(request.input(), limits);
}

absl::Status validate_query(const service::QueryWorkflowRequest& request,
                            const history::Limits& limits) {
    STELE_RETURN_IF_ERROR(validate_execution(request.has_execution(), request.execution()));
    if (!request.has_query()) return invalid_argument("WorkflowQuery is not set on request.");
    if (request.query().query_type().empty()) {
        return invalid_argument("QueryType is not set on request.");
    }
    return validate_blob(request.query().query_args(), limits);
}

absl::Status validate_retention(google::protobuf::Duration& retention, Duration least) {
    if (!validate_duration(retention).ok() || from_proto(retention) < least) {
        return invalid_argument("A valid retention period is not set on request.");
    }
    return absl::OkStatus();
}

}  // namespace stele::frontend
