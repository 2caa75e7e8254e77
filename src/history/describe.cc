#include "history/callback_family.h"
#include "history/nexus_family.h"

// A run as DescribeWorkflowExecution shows it.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

constexpr std::int64_t kFirstYearSeconds = -62'135'596'800;

void describe_config(const Run& run, service::DescribeWorkflowExecutionResponse& response) {
    const storage::InfoRow& info = run.info;
    auto& config = *response.mutable_execution_config();
    config.mutable_task_queue()->set_name(info.task_queue());
    config.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    if (info.has_execution_timeout()) {
        *config.mutable_workflow_execution_timeout() = info.execution_timeout();
    }
    if (info.has_run_timeout()) *config.mutable_workflow_run_timeout() = info.run_timeout();
    *config.mutable_default_workflow_task_timeout() = info.task_timeout();
    if (info.has_user_metadata()) *config.mutable_user_metadata() = info.user_metadata();
}

void describe_times(const Run& run, api::workflow::v1::WorkflowExecutionInfo& described) {
    *described.mutable_start_time() = run.info.start_time();
    *described.mutable_execution_time() = run.header.execution_time();
    if (!run.header.has_close_time()) return;
    *described.mutable_close_time() = run.header.close_time();
    *described.mutable_execution_duration() =
        to_proto(from_proto(run.header.close_time()) - from_proto(run.header.execution_time()));
}

void describe_info(const Run& run, api::workflow::v1::WorkflowExecutionInfo& described) {
    const storage::InfoRow& info = run.info;
    const storage::HeaderRow& header = run.header;
    described.mutable_execution()->set_workflow_id(info.workflow_id());
    described.mutable_execution()->set_run_id(info.run_id());
    described.mutable_type()->set_name(info.workflow_type());
    describe_times(run, described);
    described.set_status(header.status());
    described.set_history_length(header.next_event_id() - 1);
    described.set_history_size_bytes(header.history_size_bytes());
    described.set_state_transition_count(header.state_transition_count());
    described.set_task_queue(info.task_queue());
    if (info.has_parent()) {
        described.set_parent_namespace_id(info.parent_namespace_id());
        *described.mutable_parent_execution() = info.parent();
    }
    *described.mutable_auto_reset_points() = header.reset_points();
    *described.mutable_root_execution() = info.root();
    described.set_first_run_id(info.first_execution_run_id());
    *described.mutable_memo() = run.attributes.memo();
    *described.mutable_search_attributes() = run.attributes.search_attributes();
    if (header.has_most_recent_worker_version()) {
        *described.mutable_most_recent_worker_version_stamp() = header.most_recent_worker_version();
    }
    if (info.has_priority()) *described.mutable_priority() = info.priority();
    if (info.has_versioning_override()) {
        *described.mutable_versioning_info()->mutable_versioning_override() =
            info.versioning_override();
    }
    described.set_external_payload_size_bytes(header.external_payload_bytes());
    described.set_external_payload_count(header.external_payload_count());
}

void describe_request_ids(const Run& run, const Limits& limits,
                          api::workflow::v1::WorkflowExecutionExtendedInfo& info) {
    auto& described = *info.mutable_request_id_infos();
    auto& created = described[run.info.create_request_id()];
    created.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    created.set_event_id(kFirstEvent.value());
    for (const auto& [id, row] : run.request_ids.rows()) {
        if (row.request_id() == run.info.create_request_id()) {
            created.set_event_id(row.event_id());  // signal-with-start shares its id
            continue;
        }
        // Signals are remembered so that they are not repeated; who sent one may want to find it.
        const bool signal = row.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED;
        if (signal && !limits.signal_backlinks) continue;
        auto& remembered = described[row.request_id()];
        remembered.set_event_type(row.event_type());
        remembered.set_event_id(row.event_id());
        remembered.set_buffered(row.event_id() == kNoEvent.value());
    }
}

void describe_pause(const storage::HeaderRow& header,
                    api::workflow::v1::WorkflowExecutionExtendedInfo& info) {
    if (!header.has_pause()) return;
    auto& pause = *info.mutable_pause_info();
    *pause.mutable_paused_time() = header.pause().time();
    pause.set_identity(header.pause().identity());
    pause.set_reason(header.pause().reason());
}

void describe_extended_info(const Run& run, const Limits& limits,
                            api::workflow::v1::WorkflowExecutionExtendedInfo& info) {
    if (run.info.has_execution_expiration()) {
        *info.mutable_execution_expiration_time() = run.info.execution_expiration();
    }
    if (run.info.has_run_expiration()) {
        *info.mutable_run_expiration_time() = run.info.run_expiration();
    } else {
        // Clients of Temporal see the beginning of the first year here.
        info.mutable_run_expiration_time()->set_seconds(kFirstYearSeconds);
    }
    *info.mutable_original_start_time() =
        run.info.has_original_start_time() ? run.info.original_start_time() : run.info.start_time();
    if (run.info.original_execution_run_id() != run.info.run_id()) {
        *info.mutable_last_reset_time() = run.info.start_time();
    }
    info.set_reset_run_id(run.header.reset_run_id());
    describe_pause(run.header, info);
    info.set_cancel_requested(run.header.cancel_requested());
    describe_request_ids(run, limits, info);
}

void describe_children(const Run& run, service::DescribeWorkflowExecutionResponse& response) {
    for (const auto& [id, child] : run.children.rows()) {
        auto& pending = *response.add_pending_children();
        pending.set_workflow_id(child.workflow_id());
        pending.set_run_id(child.run_id());
        pending.set_workflow_type_name(child.workflow_type());
        pending.set_initiated_id(child.initiated_event_id());
        pending.set_parent_close_policy(child.parent_close_policy());
    }
}

void describe_workflow_task(const storage::WorkflowTask& task,
                            service::DescribeWorkflowExecutionResponse& response) {
    if (task.kind() == storage::TASK_KIND_NONE) return;
    auto& pending = *response.mutable_pending_workflow_task();
    pending.set_state(enums::PENDING_WORKFLOW_TASK_STATE_SCHEDULED);
    *pending.mutable_scheduled_time() = task.scheduled_time();
    *pending.mutable_original_scheduled_time() = task.original_scheduled_time();
    pending.set_attempt(task.attempt());
    if (task.started_event_id() == 0) return;
    pending.set_state(enums::PENDING_WORKFLOW_TASK_STATE_STARTED);
    *pending.mutable_started_time() = task.started_time();
}

}  // namespace

service::DescribeWorkflowExecutionResponse describe(const Run& run, const Limits& limits) {
    service::DescribeWorkflowExecutionResponse response;
    describe_config(run, response);
    describe_info(run, *response.mutable_workflow_execution_info());
    describe_extended_info(run, limits, *response.mutable_workflow_extended_info());
    describe_activities(run, response);
    describe_children(run, response);
    describe_nexus_operations(run, response);
    describe_workflow_task(run.header.task(), response);
    describe_callbacks(run, response);
    return response;
}

}  // namespace stele::history
