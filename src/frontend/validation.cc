#include "frontend/validation.h"

#include "base/time.h"
#include "frontend/links.h"
#include "frontend/namespaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace stele::frontend {
namespace {

using api::common::v1::Priority;
using api::common::v1::RetryPolicy;

constexpr Duration kCentury = std::chrono::hours(24) * 365 * 100;
constexpr Duration kMinimumPollTimeout = std::chrono::seconds(2);
constexpr Duration kMinimumRetention = std::chrono::hours(1);
constexpr std::size_t kMaximumFairnessKeyBytes = 64;
constexpr char kTimeoutTypePrefix[] = "TemporalTimeout:";
constexpr char kReservedQueuePrefix[] = "/_sys/";
constexpr char kInternalQueuePrefix[] = "temporal-sys-per-ns-";

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

/// Names what a bad duration belongs to, as the real server words it.
absl::Status named_duration(const char* field, google::protobuf::Duration& duration) {
    const absl::Status status = validate_duration(duration);
    if (status.ok()) return status;
    return invalid_argument(
        fmt::format("An invalid {} is set on request. cause: {}", field, message_of(status)));
}

absl::Status validate_workflow_id(std::string_view id) {
    if (id.empty()) return invalid_argument("WorkflowId is not set on request.");
    if (id.size() > kMaximumNameBytes) {
        return invalid_argument(fmt::format("WorkflowId exceeds maximum allowed length ({}/{})",
                                            id.size(), kMaximumNameBytes));
    }
    return absl::OkStatus();
}

absl::Status validate_non_retryable_type(const std::string& type) {
    if (!type.starts_with(kTimeoutTypePrefix)) return absl::OkStatus();
    const std::string kind = type.substr(sizeof(kTimeoutTypePrefix) - 1);
    for (const char* known : {"StartToClose", "ScheduleToStart", "ScheduleToClose", "Heartbeat"}) {
        if (kind == known) return absl::OkStatus();
    }
    return invalid_argument(fmt::format("Invalid timeout type value: {}.", kind));
}

void default_retry_policy(RetryPolicy& policy) {
    constexpr int kMaximumIntervalCoefficient = 100;
    constexpr double kBackoff = 2.0;
    if (from_proto(policy.initial_interval()) == Duration::zero()) {
        *policy.mutable_initial_interval() = to_proto(std::chrono::seconds(1));
    }
    if (from_proto(policy.maximum_interval()) == Duration::zero()) {
        // Beyond a century the product would not fit; the refusal of a bad interval comes later.
        constexpr Duration kLongest = kCentury / kMaximumIntervalCoefficient;
        const Duration initial =
            std::clamp(from_proto(policy.initial_interval()), -kLongest, kLongest);
        *policy.mutable_maximum_interval() = to_proto(initial * kMaximumIntervalCoefficient);
    }
    if (policy.backoff_coefficient() == 0) policy.set_backoff_coefficient(kBackoff);
}

absl::Status validate_retry_policy(RetryPolicy& policy) {
    default_retry_policy(policy);
    if (policy.maximum_attempts() == 1) return absl::OkStatus();
    if (auto status = validate_duration(*policy.mutable_initial_interval()); !status.ok()) {
        return invalid_argument("invalid InitialInterval set on retry policy: " +
                                message_of(status));
    }
    if (policy.backoff_coefficient() < 1) {
        return invalid_argument("BackoffCoefficient cannot be less than 1 on retry policy.");
    }
    if (auto status = validate_duration(*policy.mutable_maximum_interval()); !status.ok()) {
        return invalid_argument("invalid MaximumInterval set on retry policy: " +
                                message_of(status));
    }
    if (from_proto(policy.maximum_interval()) < from_proto(policy.initial_interval())) {
        return invalid_argument(
            "MaximumInterval cannot be less than InitialInterval on retry policy.");
    }
    if (policy.maximum_attempts() < 0) {
        return invalid_argument("MaximumAttempts cannot be negative on retry policy.");
    }
    for (const std::string& type : policy.non_retryable_error_types()) {
        STELE_RETURN_IF_ERROR(validate_non_retryable_type(type));
    }
    return absl::OkStatus();
}

absl::Status validate_policies(api::enums::v1::WorkflowIdReusePolicy reuse,
                               api::enums::v1::WorkflowIdConflictPolicy conflict) {
    namespace enums = api::enums::v1;
    if (conflict != enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED &&
        reuse == enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
        return invalid_argument(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot "
            "be used together with a WorkflowIDConflictPolicy");
    }
    if (conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING &&
        reuse == enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE) {
        return invalid_argument(
            "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be "
            "used together with WorkflowIdConflictPolicy "
            "WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING");
    }
    return absl::OkStatus();
}

/// Turns the deprecated reuse policy into the conflict policy that means the same.
template <typename Request>
void default_policies(Request& request, api::enums::v1::WorkflowIdConflictPolicy conflict) {
    namespace enums = api::enums::v1;
    if (request.workflow_id_conflict_policy() == enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED) {
        if (request.workflow_id_reuse_policy() ==
            enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
            request.set_workflow_id_conflict_policy(
                enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
            request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
        } else {
            request.set_workflow_id_conflict_policy(conflict);
        }
    }
    if (request.workflow_id_reuse_policy() == enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED) {
        request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    }
}

template <typename Request>
absl::Status validate_timeouts(Request& request) {
    if (request.has_workflow_execution_timeout()) {
        STELE_RETURN_IF_ERROR(named_duration("WorkflowExecutionTimeoutSeconds",
                                             *request.mutable_workflow_execution_timeout()));
    }
    if (request.has_workflow_run_timeout()) {
        STELE_RETURN_IF_ERROR(
            named_duration("WorkflowRunTimeoutSeconds", *request.mutable_workflow_run_timeout()));
    }
    if (request.has_workflow_task_timeout()) {
        STELE_RETURN_IF_ERROR(
            named_duration("WorkflowTaskTimeoutSeconds", *request.mutable_workflow_task_timeout()));
    }
    return absl::OkStatus();
}

/// The server's own workers have queues that nobody else may use.
template <typename Request>
absl::Status validate_user_task_queue(Request& request) {
    STELE_RETURN_IF_ERROR(validate_task_queue(request));
    if (!request.task_queue().name().starts_with(kInternalQueuePrefix)) return absl::OkStatus();
    return invalid_argument("cannot use internal per-namespace task queue:" +
                            request.task_queue().name());
}

template <typename Request>
absl::Status validate_start_delay(Request& request) {
    if (!request.has_workflow_start_delay()) return absl::OkStatus();
    if (!request.cron_schedule().empty()) {
        return invalid_argument("CronSchedule and WorkflowStartDelay may not be used together.");
    }
    return named_duration("WorkflowStartDelaySeconds", *request.mutable_workflow_start_delay());
}

template <typename Request>
absl::Status validate_sizes(const Request& request, const history::Limits& limits) {
    STELE_RETURN_IF_ERROR(validate_blob(request.input(), limits));
    if (request.memo().ByteSizeLong() > limits.memo_bytes) {
        return invalid_argument("Memo size exceeds limit.");
    }
    return absl::OkStatus();
}

/// Names of headers in lower case, as HTTP has them.
absl::Status settle_header(api::common::v1::Callback::Nexus& callback, std::size_t limit) {
    google::protobuf::Map<std::string, std::string> settled;
    std::size_t bytes = 0;
    for (const auto& [name, value] : callback.header()) {
        bytes += name.size() + value.size();
        std::string lower = name;
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](unsigned char byte) { return static_cast<char>(std::tolower(byte)); });
        settled[lower] = value;
    }
    if (bytes > limit) {
        return invalid_argument(
            fmt::format("invalid header: header size longer than max allowed size of {}", limit));
    }
    *callback.mutable_header() = std::move(settled);
    return absl::OkStatus();
}

absl::Status validate_conflict_options(const service::StartWorkflowExecutionRequest& request) {
    const auto& options = request.on_conflict_options();
    if (options.attach_completion_callbacks() && !options.attach_request_id()) {
        return invalid_argument(
            "attaching request ID is required for attaching completion callbacks");
    }
    return absl::OkStatus();
}

}  // namespace

absl::Status validate_callbacks(
    google::protobuf::RepeatedPtrField<api::common::v1::Callback>& callbacks,
    const history::Limits& limits) {
    if (static_cast<std::size_t>(callbacks.size()) > limits.callbacks_per_request) {
        return invalid_argument(fmt::format("cannot attach more than {} callbacks to an execution",
                                            limits.callbacks_per_request));
    }
    for (api::common::v1::Callback& callback : callbacks) {
        if (!callback.has_nexus()) return unimplemented("unknown callback variant");
        api::common::v1::Callback::Nexus& nexus = *callback.mutable_nexus();
        if (nexus.url().size() > limits.callback_url_bytes) {
            return invalid_argument(
                fmt::format("invalid url: url length longer than max length allowed of {}",
                            limits.callback_url_bytes));
        }
        STELE_RETURN_IF_ERROR(check_address(nexus.url(), limits.callback_addresses));
        STELE_RETURN_IF_ERROR(settle_header(nexus, limits.callback_header_bytes));
    }
    return absl::OkStatus();
}

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

absl::Status validate_duration(google::protobuf::Duration& duration) {
    if ((duration.seconds() > 0 && duration.nanos() < 0) ||
        (duration.seconds() < 0 && duration.nanos() > 0)) {
        return invalid_argument("duration has seconds and nanos with different signs");
    }
    if (duration.seconds() < 0 || duration.nanos() < 0) {
        return invalid_argument("negative duration");
    }
    if (from_proto(duration) > kCentury) duration = to_proto(kCentury);
    return absl::OkStatus();
}

absl::Status validate_task_queue(bool set, api::taskqueue::v1::TaskQueue& queue) {
    if (!set) return invalid_argument("taskQueue is not set");
    if (queue.kind() == api::enums::v1::TASK_QUEUE_KIND_UNSPECIFIED) {
        queue.set_kind(api::enums::v1::TASK_QUEUE_KIND_NORMAL);
    }
    if (queue.name().empty()) return invalid_argument("missing task queue name");
    for (const std::string* name : {&queue.name(), &queue.normal_name()}) {
        if (name->size() > kMaximumNameBytes) {
            return invalid_argument("taskQueue length exceeds limit");
        }
    }
    if (queue.name().starts_with(kReservedQueuePrefix)) {
        return invalid_argument(fmt::format("task queue name cannot start with reserved prefix {}",
                                            kReservedQueuePrefix));
    }
    return absl::OkStatus();
}

absl::Status validate_priority(const Priority& priority) {
    if (priority.priority_key() < 0) return invalid_argument("priority key can't be negative");
    if (priority.fairness_key().size() > kMaximumFairnessKeyBytes) {
        return invalid_argument("fairness key length exceeds limit");
    }
    if (priority.fairness_weight() < 0) return invalid_argument("must be greater than zero");
    return absl::OkStatus();
}

absl::Status validate_identity(std::string_view identity) {
    if (identity.size() > kMaximumNameBytes) {
        return invalid_argument("Identity length exceeds limit.");
    }
    return absl::OkStatus();
}

absl::Status validate_blob(const google::protobuf::MessageLite& payload,
                           const history::Limits& limits) {
    if (payload.ByteSizeLong() > limits.blob_bytes) {
        return invalid_argument("Blob data size exceeds limit.");
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

absl::Status validate_start(service::StartWorkflowExecutionRequest& request,
                            const history::Limits& limits, const std::string& new_id) {
    default_policies(request, api::enums::v1::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
    STELE_RETURN_IF_ERROR(validate_workflow_id(request.workflow_id()));
    if (request.has_retry_policy()) {
        STELE_RETURN_IF_ERROR(validate_retry_policy(*request.mutable_retry_policy()));
    }
    STELE_RETURN_IF_ERROR(validate_start_delay(request));
    if (request.workflow_type().name().empty()) {
        return invalid_argument("WorkflowType is not set on request.");
    }
    if (request.workflow_type().name().size() > kMaximumNameBytes) {
        return invalid_argument("WorkflowType length exceeds limit.");
    }
    STELE_RETURN_IF_ERROR(validate_user_task_queue(request));
    STELE_RETURN_IF_ERROR(validate_timeouts(request));
    if (request.request_id().empty()) request.set_request_id(new_id);
    if (request.request_id().size() > kMaximumNameBytes) {
        return invalid_argument("RequestId length exceeds limit.");
    }
    STELE_RETURN_IF_ERROR(validate_policies(request.workflow_id_reuse_policy(),
                                            request.workflow_id_conflict_policy()));
    STELE_RETURN_IF_ERROR(validate_conflict_options(request));
    STELE_RETURN_IF_ERROR(validate_priority(request.priority()));
    STELE_RETURN_IF_ERROR(validate_callbacks(*request.mutable_completion_callbacks(), limits));
    STELE_RETURN_IF_ERROR(validate_links(request.links()));
    return validate_sizes(request, limits);
}

absl::Status validate_signal_with_start(service::SignalWithStartWorkflowExecutionRequest& request,
                                        const history::Limits& limits, const std::string& new_id) {
    namespace enums = api::enums::v1;
    const auto too_long = [](const char* what, std::size_t size) {
        return invalid_argument(fmt::format("{} exceeds maximum allowed length ({}/{})", what, size,
                                            kMaximumNameBytes));
    };
    STELE_RETURN_IF_ERROR(validate_workflow_id(request.workflow_id()));
    if (request.signal_name().empty()) return invalid_argument("signal not set");
    if (request.signal_name().size() > kMaximumNameBytes) {
        return too_long("signal name", request.signal_name().size());
    }
    if (request.workflow_type().name().empty()) return invalid_argument("workflow type not set");
    if (request.workflow_type().name().size() > kMaximumNameBytes) {
        return too_long("workflow type name", request.workflow_type().name().size());
    }
    STELE_RETURN_IF_ERROR(validate_user_task_queue(request));
    if (request.request_id().empty()) request.set_request_id(new_id);
    if (request.request_id().size() > kMaximumNameBytes) {
        return too_long("Request ID", request.request_id().size());
    }
    STELE_RETURN_IF_ERROR(validate_timeouts(request));
    if (request.has_retry_policy()) {
        STELE_RETURN_IF_ERROR(validate_retry_policy(*request.mutable_retry_policy()));
    }
    STELE_RETURN_IF_ERROR(validate_start_delay(request));
    STELE_RETURN_IF_ERROR(validate_policies(request.workflow_id_reuse_policy(),
                                            request.workflow_id_conflict_policy()));
    if (request.workflow_id_conflict_policy() == enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL) {
        return invalid_argument(
            "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported "
            "for this operation.");
    }
    default_policies(request, enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    STELE_RETURN_IF_ERROR(validate_priority(request.priority()));
    STELE_RETURN_IF_ERROR(validate_links(request.links()));
    STELE_RETURN_IF_ERROR(validate_blob(request.signal_input(), limits));
    return validate_sizes(request, limits);
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

absl::Status validate_retention(google::protobuf::Duration& retention) {
    if (!validate_duration(retention).ok() || from_proto(retention) < kMinimumRetention) {
        return invalid_argument("A valid retention period is not set on request.");
    }
    return absl::OkStatus();
}

}  // namespace stele::frontend
