#include "batch/request.h"

#include "temporal/api/enums/v1/common.pb.h"
#include "temporal/api/enums/v1/reset.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"
#include "visibility/attribute_names.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace stele::batch {
namespace {

namespace enums = api::enums::v1;
namespace filter = visibility::filter;
using Operation = Request::OperationCase;

/// How messages of the real server call an operation.
std::string operation_name(const Request& request) {
    static constexpr std::pair<Operation, const char*> kNames[] = {
        {Request::kTerminationOperation, "TerminationOperation"},
        {Request::kSignalOperation, "SignalOperation"},
        {Request::kCancellationOperation, "CancellationOperation"},
        {Request::kDeletionOperation, "DeletionOperation"},
        {Request::kResetOperation, "ResetOperation"},
        {Request::kUpdateWorkflowOptionsOperation, "UpdateWorkflowOptionsOperation"},
        {Request::kUnpauseActivitiesOperation, "UnpauseActivitiesOperation"},
        {Request::kResetActivitiesOperation, "ResetActivitiesOperation"},
        {Request::kUpdateActivityOptionsOperation, "UpdateActivityOptionsOperation"},
        {Request::kCancelActivitiesOperation, "CancelActivitiesOperation"},
        {Request::kTerminateActivitiesOperation, "TerminateActivitiesOperation"},
        {Request::kDeleteActivitiesOperation, "DeleteActivitiesOperation"},
    };
    for (const auto& [operation, name] : kNames) {
        if (operation != request.operation_case()) continue;
        return std::string("*workflowservice.StartBatchOperationRequest_") + name;
    }
    return "<nil>";
}

bool is_on_standalone_activities(const Request& request) {
    return request.has_terminate_activities_operation() ||
           request.has_cancel_activities_operation() || request.has_delete_activities_operation();
}

std::string short_type(enums::ExecutionType type) {
    switch (type) {
        case enums::EXECUTION_TYPE_WORKFLOW: return "Workflow";
        case enums::EXECUTION_TYPE_ACTIVITY: return "Activity";
        default: return "Unspecified";
    }
}

// ---- Targets ---------------------------------------------------------------------------------------

absl::Status validate_targets(const Request& request, std::size_t executions_max) {
    const int selectors = (request.visibility_query().empty() ? 0 : 1) +
                          (request.executions().empty() ? 0 : 1) +
                          (request.target_executions().empty() ? 0 : 1);
    if (request.operation_case() == Request::OPERATION_NOT_SET || request.reason().empty() ||
        selectors == 0) {
        return invalid_argument(
            "must provide required parameters: BatchType,Reason,Namespace, AND one of (Query OR "
            "Executions OR TargetExecutions)");
    }
    if (request.job_id().empty()) return invalid_argument("JobId is not set on request.");
    if (selectors > 1) {
        return invalid_argument(
            "visibility query, executions, and target executions are mutually exclusive");
    }
    for (int i = 0; i < request.target_executions_size(); ++i) {
        const enums::ExecutionType type = request.target_executions(i).type();
        if (type == enums::EXECUTION_TYPE_WORKFLOW) continue;
        return invalid_argument(
            fmt::format("target_executions[{}] has type {}, but operation {} requires Workflow", i,
                        short_type(type), operation_name(request)));
    }
    const auto listed = static_cast<std::size_t>(request.executions_size()) +
                        static_cast<std::size_t>(request.target_executions_size());
    if (listed <= executions_max) return absl::OkStatus();
    return invalid_argument(fmt::format("a batch operation takes at most {} executions, got {}",
                                        executions_max, listed));
}

absl::Status validate_query(const Request& request, const history::SearchAttributeSchema& schema) {
    const auto parsed = visibility::parse_run_filter(request.visibility_query(), schema);
    constexpr std::string_view kMalformed = "invalid query: malformed SQL query: ";
    const std::string message = message_of(parsed.status());
    // A query that can be read and makes no sense is found when it is carried out.
    if (!message.starts_with(kMalformed)) return absl::OkStatus();
    return invalid_argument("invalid visibility query: " + message.substr(kMalformed.size()));
}

// ---- Operations ------------------------------------------------------------------------------------

absl::Status validate_reset(const api::batch::v1::BatchOperationReset& reset) {
    if (reset.has_options()) {
        if (reset.options().target_case() != api::common::v1::ResetOptions::TARGET_NOT_SET) {
            return absl::OkStatus();
        }
        return invalid_argument("batch reset missing target");
    }
    const int type = reset.reset_type();
    if (enums::ResetType_IsValid(type) && type != enums::RESET_TYPE_UNSPECIFIED) {
        return absl::OkStatus();
    }
    return invalid_argument("unknown batch reset type " +
                            (type == 0 ? std::string("Unspecified") : std::to_string(type)));
}

constexpr char kWhichActivities[] =
    "Either activity type must be set, or match all should be set to true";

/// Which activities of a run an operation is for: those of a type, or all.
template <typename Choice>
absl::Status validate_activities(const Choice& operation) {
    const bool by_type = operation.activity_case() == Choice::kType && !operation.type().empty();
    const bool all = operation.activity_case() == Choice::kMatchAll && operation.match_all();
    return by_type || all ? absl::OkStatus() : invalid_argument(kWhichActivities);
}

absl::Status validate_activity_options(
    const api::batch::v1::BatchOperationUpdateActivityOptions& update) {
    if (update.has_activity_options() && update.restore_original()) {
        return invalid_argument("cannot set both activity options and restore original");
    }
    if (!update.has_activity_options() && !update.restore_original()) {
        return invalid_argument(
            "Either activity type must be set, or restore original should be set to true");
    }
    return validate_activities(update);
}

absl::Status validate_operation(const Request& request) {
    switch (request.operation_case()) {
        case Request::kSignalOperation:
            if (!request.signal_operation().signal().empty()) return absl::OkStatus();
            return invalid_argument("must provide signal name");
        case Request::kUpdateWorkflowOptionsOperation: {
            const auto& update = request.update_workflow_options_operation();
            if (!update.has_workflow_execution_options()) {
                return invalid_argument("must provide UpdateOptions");
            }
            if (!update.has_update_mask()) return invalid_argument("must provide UpdateMask");
            return absl::OkStatus();
        }
        case Request::kResetOperation: return validate_reset(request.reset_operation());
        case Request::kUnpauseActivitiesOperation:
            if (request.unpause_activities_operation().activity_case() == 0) {
                return invalid_argument("activity filter must be set");
            }
            return validate_activities(request.unpause_activities_operation());
        case Request::kResetActivitiesOperation:
            if (request.reset_activities_operation().activity_case() == 0) {
                return invalid_argument("must provide ActivityType or MatchAll");
            }
            return validate_activities(request.reset_activities_operation());
        case Request::kUpdateActivityOptionsOperation:
            return validate_activity_options(request.update_activity_options_operation());
        default: return absl::OkStatus();
    }
}

// ---- Queries ---------------------------------------------------------------------------------------

bool is_for_open_runs(const Request& request) {
    return !request.has_deletion_operation() && !request.has_reset_operation();
}

}  // namespace

absl::Status validate(const Request& request, const history::SearchAttributeSchema& schema,
                      std::size_t executions_max) {
    if (is_on_standalone_activities(request)) {
        return invalid_argument("The operation type " + operation_name(request) +
                                " is not supported for this namespace");
    }
    STELE_RETURN_IF_ERROR(validate_targets(request, executions_max));
    STELE_RETURN_IF_ERROR(validate_operation(request));
    return validate_query(request, schema);
}

enums::BatchOperationType type_of(const Request& request) {
    switch (request.operation_case()) {
        case Request::kTerminationOperation: return enums::BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW;
        case Request::kSignalOperation: return enums::BATCH_OPERATION_TYPE_SIGNAL_WORKFLOW;
        case Request::kCancellationOperation: return enums::BATCH_OPERATION_TYPE_CANCEL_WORKFLOW;
        case Request::kDeletionOperation: return enums::BATCH_OPERATION_TYPE_DELETE_WORKFLOW;
        case Request::kResetOperation: return enums::BATCH_OPERATION_TYPE_RESET_WORKFLOW;
        case Request::kUpdateWorkflowOptionsOperation:
            return enums::BATCH_OPERATION_TYPE_UPDATE_WORKFLOW_EXECUTION_OPTIONS;
        case Request::kUnpauseActivitiesOperation:
            return enums::BATCH_OPERATION_TYPE_UNPAUSE_ACTIVITY;
        case Request::kResetActivitiesOperation: return enums::BATCH_OPERATION_TYPE_RESET_ACTIVITY;
        case Request::kUpdateActivityOptionsOperation:
            return enums::BATCH_OPERATION_TYPE_UPDATE_ACTIVITY_OPTIONS;
        default: return enums::BATCH_OPERATION_TYPE_UNSPECIFIED;
    }
}

std::string identity_of(const Request& request) {
    switch (request.operation_case()) {
        case Request::kTerminationOperation: return request.termination_operation().identity();
        case Request::kSignalOperation: return request.signal_operation().identity();
        case Request::kCancellationOperation: return request.cancellation_operation().identity();
        case Request::kDeletionOperation: return request.deletion_operation().identity();
        case Request::kResetOperation: return request.reset_operation().identity();
        case Request::kUpdateWorkflowOptionsOperation:
            return request.update_workflow_options_operation().identity();
        case Request::kUnpauseActivitiesOperation:
            return request.unpause_activities_operation().identity();
        case Request::kResetActivitiesOperation:
            return request.reset_activities_operation().identity();
        case Request::kUpdateActivityOptionsOperation:
            return request.update_activity_options_operation().identity();
        default: return {};
    }
}

std::vector<api::common::v1::Execution> executions_of(const Request& request) {
    std::vector<api::common::v1::Execution> executions(request.target_executions().begin(),
                                                       request.target_executions().end());
    for (const api::common::v1::WorkflowExecution& listed : request.executions()) {
        api::common::v1::Execution& execution = executions.emplace_back();
        execution.set_type(enums::EXECUTION_TYPE_WORKFLOW);
        execution.set_business_id(listed.workflow_id());
        execution.set_run_id(listed.run_id());
    }
    return executions;
}

absl::StatusOr<filter::Filter> filter_of(const Request& request, Timestamp job_started,
                                         const history::SearchAttributeSchema& schema) {
    STELE_ASSIGN_OR_RETURN(filter::Filter wanted,
                           visibility::parse_run_filter(request.visibility_query(), schema));
    std::vector<filter::Node> all = {
        visibility::run_condition("StartTime", filter::Operator::kLessEqual, {job_started})};
    if (wanted.where) all.push_back(*std::move(wanted.where));
    if (is_for_open_runs(request)) {
        all.push_back(
            visibility::run_condition("ExecutionStatus", filter::Operator::kIn,
                                      {std::int64_t{enums::WORKFLOW_EXECUTION_STATUS_RUNNING},
                                       std::int64_t{enums::WORKFLOW_EXECUTION_STATUS_PAUSED}}));
    }
    const auto& unpause = request.unpause_activities_operation();
    if (request.has_unpause_activities_operation() && !unpause.type().empty()) {
        all.push_back(visibility::run_condition("TemporalPauseInfo", filter::Operator::kEqual,
                                                {"property:activityType=" + unpause.type()}));
    }
    filter::Filter result;
    result.where = filter::joined(filter::Node::Kind::kAnd, std::move(all));
    return result;
}

}  // namespace stele::batch
