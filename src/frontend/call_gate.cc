#include "frontend/call_gate.h"

#include "temporal/api/enums/v1/failed_cause.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <algorithm>

namespace stele::frontend {
namespace {

namespace enums = temporal::api::enums::v1;
using Quota = CallClass::Quota;

constexpr int kLastRank = 5;

/// Methods that are not listed have the last rank.
const std::unordered_map<std::string_view, CallClass>& call_classes() {
    static const std::unordered_map<std::string_view, CallClass> classes = {
        // What says who the server is.
        {"DescribeNamespace", {Quota::kExecution, 0}},
        {"DeprecateNamespace", {Quota::kExecution, 0}},
        // News from outside, and progress of workers: refusing these makes more work.
        {"StartWorkflowExecution", {Quota::kExecution, 1}},
        {"SignalWorkflowExecution", {Quota::kExecution, 1}},
        {"SignalWithStartWorkflowExecution", {Quota::kExecution, 1}},
        {"UpdateWorkflowExecution", {Quota::kExecution, 1, true}},
        {"ExecuteMultiOperation", {Quota::kExecution, 1, true}},
        {"CreateSchedule", {Quota::kExecution, 1}},
        {"StartBatchOperation", {Quota::kExecution, 1}},
        {"RecordActivityTaskHeartbeat", {Quota::kExecution, 1}},
        {"RecordActivityTaskHeartbeatById", {Quota::kExecution, 1}},
        {"RespondActivityTaskCompleted", {Quota::kExecution, 1}},
        {"RespondActivityTaskCompletedById", {Quota::kExecution, 1}},
        {"RespondWorkflowTaskCompleted", {Quota::kExecution, 1}},
        {"RespondQueryTaskCompleted", {Quota::kExecution, 1}},
        {"RespondNexusTaskCompleted", {Quota::kExecution, 1}},
        // Control.
        {"RequestCancelWorkflowExecution", {Quota::kExecution, 2}},
        {"TerminateWorkflowExecution", {Quota::kExecution, 2}},
        {"ResetWorkflowExecution", {Quota::kExecution, 2}},
        {"DeleteWorkflowExecution", {Quota::kExecution, 2}},
        {"GetWorkflowExecutionHistory", {Quota::kExecution, 2}},  // workers need it to go on
        {"UpdateActivityOptions", {Quota::kExecution, 2}},
        {"PauseActivity", {Quota::kExecution, 2}},
        {"UnpauseActivity", {Quota::kExecution, 2}},
        {"ResetActivity", {Quota::kExecution, 2}},
        {"UpdateWorkflowExecutionOptions", {Quota::kExecution, 2}},
        {"PauseWorkflowExecution", {Quota::kExecution, 2}},
        {"UnpauseWorkflowExecution", {Quota::kExecution, 2}},
        {"UpdateTaskQueueConfig", {Quota::kExecution, 2}},
        // Looking, and failures, after which the work is done again anyway.
        {"DescribeWorkflowExecution", {Quota::kExecution, 3}},
        {"DescribeTaskQueue", {Quota::kExecution, 3}},
        {"ListTaskQueuePartitions", {Quota::kExecution, 3}},
        {"QueryWorkflow", {Quota::kExecution, 3, true}},
        {"ListWorkers", {Quota::kExecution, 3}},
        {"DescribeWorker", {Quota::kExecution, 3}},
        {"CountWorkers", {Quota::kExecution, 3}},
        {"RespondActivityTaskCanceled", {Quota::kExecution, 3}},
        {"RespondActivityTaskCanceledById", {Quota::kExecution, 3}},
        {"RespondActivityTaskFailed", {Quota::kExecution, 3}},
        {"RespondActivityTaskFailedById", {Quota::kExecution, 3}},
        {"RespondWorkflowTaskFailed", {Quota::kExecution, 3}},
        // Polls, and what can wait.
        {"PollWorkflowTaskQueue", {Quota::kExecution, 4, true}},
        {"PollActivityTaskQueue", {Quota::kExecution, 4, true}},
        {"PollNexusTaskQueue", {Quota::kExecution, 4, true}},
        {"PollWorkflowExecutionUpdate", {Quota::kExecution, 4, true}},
        {"ResetStickyTaskQueue", {Quota::kExecution, 4}},
        {"ShutdownWorker", {Quota::kExecution, 4}},
        {"GetWorkflowExecutionHistoryReverse", {Quota::kExecution, 4}},
        {"RecordWorkerHeartbeat", {Quota::kExecution, 4}},
        // A read of history that waits for what is to come; not a method of its own on the wire.
        {"PollWorkflowExecutionHistory", {Quota::kExecution, 5, true}},
        // What is answered from the index.
        {"CountWorkflowExecutions", {Quota::kVisibility, 1}},
        {"ScanWorkflowExecutions", {Quota::kVisibility, 1}},
        {"ListOpenWorkflowExecutions", {Quota::kVisibility, 1}},
        {"ListClosedWorkflowExecutions", {Quota::kVisibility, 1}},
        {"ListWorkflowExecutions", {Quota::kVisibility, 1}},
        {"ListArchivedWorkflowExecutions", {Quota::kVisibility, 1}},
        {"ListSchedules", {Quota::kVisibility, 1}},
        {"ListBatchOperations", {Quota::kVisibility, 1}},
    };
    return classes;
}

absl::Status exhausted(enums::ResourceExhaustedCause cause, const char* message) {
    temporal::api::errordetails::v1::ResourceExhaustedFailure detail;
    detail.set_cause(cause);
    detail.set_scope(enums::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
    return make_error(absl::StatusCode::kResourceExhausted, message, detail);
}

struct Rate {
    double per_second = 0;  // 0: no limit
    double burst = 0;
};

Rate rate_of(Quota quota, const CallSettings& settings) {
    const bool visibility = quota == Quota::kVisibility;
    const double rate =
        visibility ? settings.visibility_calls_per_second : settings.calls_per_second;
    const double ratio = visibility ? settings.visibility_calls_burst : settings.calls_burst;
    return {rate, rate * std::max(ratio, 1.0)};
}

}  // namespace

CallClass call_class(std::string_view method) {
    const auto found = call_classes().find(method);
    return found == call_classes().end() ? CallClass{Quota::kExecution, kLastRank} : found->second;
}

absl::Status CallGate::admit(const std::string& namespace_id, const CallClass& call,
                             const CallSettings& settings, Timestamp now) {
    const Rate rate = rate_of(call.quota, settings);
    if (rate.per_second <= 0) return absl::OkStatus();
    const env::MutexLock lock(mutex_);
    struct Quota& quota = quotas_[namespace_id][static_cast<std::size_t>(call.quota)];
    // A clock that was set back must not take tokens away.
    const double elapsed =
        std::max(std::chrono::duration<double>(now - quota.filled).count(), 0.0);
    quota.filled = std::max(quota.filled, now);
    for (double& tokens : quota.tokens) {
        tokens = std::min(tokens + elapsed * rate.per_second, rate.burst);
    }
    const auto rank = static_cast<std::size_t>(call.rank);
    if (quota.tokens[rank] < 1) {
        return exhausted(enums::RESOURCE_EXHAUSTED_CAUSE_RPS_LIMIT, "namespace rate limit exceeded");
    }
    for (std::size_t later = rank; later < quota.tokens.size(); ++later) {
        quota.tokens[later] = std::max(quota.tokens[later] - 1, 0.0);
    }
    return absl::OkStatus();
}

absl::StatusOr<WaitingPlace> CallGate::wait(const std::string& namespace_id,
                                            const std::string& method,
                                            const CallSettings& settings) {
    std::string name = namespace_id + "/" + method;
    const env::MutexLock lock(mutex_);
    std::int32_t& count = waiting_[name];
    if (count >= settings.waiting_calls) {
        return exhausted(enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT,
                         "namespace concurrent poller limit exceeded");
    }
    ++count;
    return WaitingPlace(nullptr, [this, name = std::move(name)](void*) {
        const env::MutexLock leaving(mutex_);
        const auto found = waiting_.find(name);
        if (--found->second == 0) waiting_.erase(found);
    });
}

}  // namespace stele::frontend
