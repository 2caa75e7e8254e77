#include "sdk/client/describe.h"

#include "sdk/data/convert.h"
#include "sdk/data/versioning.h"

namespace stele::sdk {

namespace {

std::optional<Timestamp> read_time(bool present, const google::protobuf::Timestamp& time) {
    if (!present) return std::nullopt;
    return from_timestamp(time);
}

std::string read_text(const Payload& payload) {
    return payload.data().empty() ? std::string() : decode_value<std::string>(payload);
}

PendingActivity read_pending(const temporal::api::workflow::v1::PendingActivityInfo& info) {
    PendingActivity activity;
    activity.id = info.activity_id();
    activity.type = info.activity_type().name();
    activity.state = static_cast<PendingActivityState>(static_cast<int>(info.state()));
    activity.attempt = info.attempt();
    activity.maximum_attempts = info.maximum_attempts();
    activity.scheduled_time = read_time(info.has_scheduled_time(), info.scheduled_time());
    activity.last_started_time = read_time(info.has_last_started_time(), info.last_started_time());
    activity.last_heartbeat_time =
        read_time(info.has_last_heartbeat_time(), info.last_heartbeat_time());
    activity.next_attempt_time =
        read_time(info.has_next_attempt_schedule_time(), info.next_attempt_schedule_time());
    activity.heartbeat_details = to_vector(info.heartbeat_details());
    if (info.has_last_failure()) activity.last_failure = failure_to_error(info.last_failure());
    activity.last_worker_identity = info.last_worker_identity();
    activity.paused = info.paused();
    return activity;
}

}  // namespace

void read_summary(const temporal::api::workflow::v1::WorkflowExecutionInfo& info,
                  WorkflowSummary& summary) {
    summary.workflow_id = info.execution().workflow_id();
    summary.run_id = info.execution().run_id();
    summary.first_run_id = info.first_run_id();
    summary.parent_workflow_id = info.parent_execution().workflow_id();
    summary.parent_run_id = info.parent_execution().run_id();
    summary.root_workflow_id = info.root_execution().workflow_id();
    summary.type = info.type().name();
    summary.task_queue = info.task_queue();
    summary.status = static_cast<WorkflowStatus>(static_cast<int>(info.status()));
    summary.start_time = from_timestamp(info.start_time());
    summary.execution_time = from_timestamp(info.execution_time());
    summary.close_time = read_time(info.has_close_time(), info.close_time());
    summary.history_length = info.history_length();
    summary.history_bytes = info.history_size_bytes();
    summary.memo.insert(info.memo().fields().begin(), info.memo().fields().end());
    const auto& attributes = info.search_attributes().indexed_fields();
    summary.search_attributes.insert(attributes.begin(), attributes.end());
}

WorkflowDescription read_description(
    const temporal::api::workflowservice::v1::DescribeWorkflowExecutionResponse& reply) {
    WorkflowDescription description;
    read_summary(reply.workflow_execution_info(), description);
    const auto& config = reply.execution_config();
    description.execution_timeout = from_duration(config.workflow_execution_timeout());
    description.run_timeout = from_duration(config.workflow_run_timeout());
    description.task_timeout = from_duration(config.default_workflow_task_timeout());
    description.static_summary = read_text(config.user_metadata().summary());
    description.static_details = read_text(config.user_metadata().details());
    description.cancel_requested = reply.workflow_extended_info().cancel_requested();
    for (const auto& info : reply.pending_activities())
        description.pending_activities.push_back(read_pending(info));
    for (const auto& info : reply.pending_children())
        description.pending_children.push_back(
            {info.workflow_id(), info.run_id(), info.workflow_type_name(),
             static_cast<ParentClosePolicy>(static_cast<int>(info.parent_close_policy()))});
    const auto& versioning = reply.workflow_execution_info().versioning_info();
    description.versioning =
        static_cast<VersioningBehavior>(static_cast<int>(versioning.behavior()));
    if (versioning.has_deployment_version())
        description.deployment_version = read_version(versioning.deployment_version());
    if (versioning.has_versioning_override())
        description.versioning_override = read_override(versioning.versioning_override());
    description.workflow_task_attempt = reply.pending_workflow_task().attempt();
    return description;
}

}  // namespace stele::sdk
