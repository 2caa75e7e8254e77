#include "history/start_request.h"

#include "base/address_rule.h"
#include "history/links.h"
#include "history/retry_policy.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

namespace stele::history {
namespace {

constexpr Duration kCentury = std::chrono::hours(24) * 365 * 100;
constexpr std::size_t kFairnessKeyLength = 64;
constexpr char kReservedQueuePrefix[] = "/_sys/";
constexpr char kInternalQueuePrefix[] = "temporal-sys-per-ns-";

absl::Status too_long(const std::string& what, std::size_t size, const Limits& limits) {
    return invalid_argument(what + " exceeds maximum allowed length (" + std::to_string(size) +
                            "/" + std::to_string(limits.id_length) + ")");
}

/// Names what a bad duration belongs to, as the real server words it.
absl::Status named_duration(const char* field, google::protobuf::Duration& duration) {
    const absl::Status status = validate_duration(duration);
    if (status.ok()) return status;
    return invalid_argument("An invalid " + std::string(field) +
                            " is set on request. cause: " + message_of(status));
}

absl::Status validate_workflow_id(const std::string& id, const Limits& limits) {
    if (id.empty()) return invalid_argument("WorkflowId is not set on request.");
    if (id.size() > limits.id_length) {
        return too_long("WorkflowId", id.size(), limits);
    }
    return absl::OkStatus();
}

absl::Status complete_retry_policy(RetryPolicy& policy) {
    fill_retry_policy(policy);
    return validate_retry_policy(policy);
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
absl::Status validate_user_task_queue(Request& request, const Limits& limits) {
    // Asked first: to be handed out for change is to be set.
    const bool set = request.has_task_queue();
    STELE_RETURN_IF_ERROR(
        validate_task_queue(set, *request.mutable_task_queue(), limits.id_length));
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
absl::Status validate_sizes(const Request& request, const Limits& limits) {
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
        return invalid_argument("invalid header: header size longer than max allowed size of " +
                                std::to_string(limit));
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

absl::Status validate_task_queue(bool set, api::taskqueue::v1::TaskQueue& queue,
                                 std::size_t longest) {
    if (!set) return invalid_argument("taskQueue is not set");
    if (queue.kind() == api::enums::v1::TASK_QUEUE_KIND_UNSPECIFIED) {
        queue.set_kind(api::enums::v1::TASK_QUEUE_KIND_NORMAL);
    }
    if (queue.name().empty()) return invalid_argument("missing task queue name");
    for (const std::string* name : {&queue.name(), &queue.normal_name()}) {
        if (name->size() > longest) {
            return invalid_argument("taskQueue length exceeds limit");
        }
    }
    if (queue.name().starts_with(kReservedQueuePrefix)) {
        return invalid_argument(std::string("task queue name cannot start with reserved prefix ") +
                                kReservedQueuePrefix);
    }
    return absl::OkStatus();
}

absl::Status validate_priority(const api::common::v1::Priority& priority) {
    if (priority.priority_key() < 0) return invalid_argument("priority key can't be negative");
    if (priority.fairness_key().size() > kFairnessKeyLength) {
        return invalid_argument("fairness key length exceeds limit");
    }
    if (priority.fairness_weight() < 0) return invalid_argument("must be greater than zero");
    return absl::OkStatus();
}

absl::Status validate_blob(const google::protobuf::MessageLite& payload, const Limits& limits) {
    if (payload.ByteSizeLong() > limits.blob_bytes) {
        return invalid_argument("Blob data size exceeds limit.");
    }
    return absl::OkStatus();
}

absl::Status validate_callbacks(
    google::protobuf::RepeatedPtrField<api::common::v1::Callback>& callbacks,
    const Limits& limits) {
    if (static_cast<std::size_t>(callbacks.size()) > limits.callbacks_per_request) {
        return invalid_argument("cannot attach more than " +
                                std::to_string(limits.callbacks_per_request) +
                                " callbacks to an execution");
    }
    for (api::common::v1::Callback& callback : callbacks) {
        if (!callback.has_nexus()) return unimplemented("unknown callback variant");
        api::common::v1::Callback::Nexus& nexus = *callback.mutable_nexus();
        if (nexus.url().size() > limits.callback_url_bytes) {
            return invalid_argument("invalid url: url length longer than max length allowed of " +
                                    std::to_string(limits.callback_url_bytes));
        }
        STELE_RETURN_IF_ERROR(check_address(nexus.url(), limits.callback_addresses));
        STELE_RETURN_IF_ERROR(settle_header(nexus, limits.callback_header_bytes));
    }
    return absl::OkStatus();
}

absl::Status validate_start(service::StartWorkflowExecutionRequest& request, const Limits& limits,
                            const std::string& new_id) {
    default_policies(request, api::enums::v1::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
    STELE_RETURN_IF_ERROR(validate_workflow_id(request.workflow_id(), limits));
    if (request.has_retry_policy()) {
        STELE_RETURN_IF_ERROR(complete_retry_policy(*request.mutable_retry_policy()));
    }
    STELE_RETURN_IF_ERROR(validate_start_delay(request));
    if (request.workflow_type().name().empty()) {
        return invalid_argument("WorkflowType is not set on request.");
    }
    if (request.workflow_type().name().size() > limits.id_length) {
        return invalid_argument("WorkflowType length exceeds limit.");
    }
    STELE_RETURN_IF_ERROR(validate_user_task_queue(request, limits));
    STELE_RETURN_IF_ERROR(validate_timeouts(request));
    if (request.request_id().empty()) request.set_request_id(new_id);
    if (request.request_id().size() > limits.id_length) {
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
                                        const Limits& limits, const std::string& new_id) {
    namespace enums = api::enums::v1;
    STELE_RETURN_IF_ERROR(validate_workflow_id(request.workflow_id(), limits));
    if (request.signal_name().empty()) return invalid_argument("signal not set");
    if (request.signal_name().size() > limits.id_length) {
        return too_long("signal name", request.signal_name().size(), limits);
    }
    if (request.workflow_type().name().empty()) return invalid_argument("workflow type not set");
    if (request.workflow_type().name().size() > limits.id_length) {
        return too_long("workflow type name", request.workflow_type().name().size(), limits);
    }
    STELE_RETURN_IF_ERROR(validate_user_task_queue(request, limits));
    if (request.request_id().empty()) request.set_request_id(new_id);
    if (request.request_id().size() > limits.id_length) {
        return too_long("Request ID", request.request_id().size(), limits);
    }
    STELE_RETURN_IF_ERROR(validate_timeouts(request));
    if (request.has_retry_policy()) {
        STELE_RETURN_IF_ERROR(complete_retry_policy(*request.mutable_retry_policy()));
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

}  // namespace stele::history
