#include "cli/workflow_description.h"

#include <fmt/format.h>

#include <map>

namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
using Description = temporal::api::workflowservice::v1::DescribeWorkflowExecutionResponse;

/// {"Key": value, …} in the order of the keys; empty for none.
template <class PayloadMap>
std::string map_text(const PayloadMap& payloads) {
    if (payloads.empty()) return "";
    std::map<std::string, Json> sorted;
    for (const auto& [key, payload] : payloads) sorted[key] = payload_to_json(payload);
    return Json(sorted).dump();
}

std::string number(std::int64_t value) { return std::to_string(value); }
std::string number_unless_zero(std::int64_t value) { return value == 0 ? "" : number(value); }

void print_execution_info(Session& session, const Description& description) {
    const auto& info = description.workflow_execution_info();
    session.printer().heading("Execution Info:");
    session.printer().card(
        {{"WorkflowId", info.execution().workflow_id()},
         {"RunId", info.execution().run_id()},
         {"Type", info.type().name()},
         {"Status", camel_case(enums::WorkflowExecutionStatus_Name(info.status()),
                               "WORKFLOW_EXECUTION_STATUS_")},
         {"Namespace", session.namespace_name()},
         {"TaskQueue", info.task_queue()},
         {"StartTime", session.time_text(info.start_time())},
         {"CloseTime", session.time_text(info.close_time())},
         {"ExecutionTime", session.time_text(info.execution_time())},
         {"Memo", map_text(info.memo().fields())},
         {"SearchAttributes", map_text(info.search_attributes().indexed_fields())},
         {"StateTransitionCount", number(info.state_transition_count())},
         {"HistoryLength", number(info.history_length())},
         {"HistorySize", number(info.history_size_bytes())},
         {"ParentWorkflowId", info.parent_execution().workflow_id()},
         {"ParentRunId", info.parent_execution().run_id()},
         {"RootWorkflowId", info.root_execution().workflow_id()},
         {"RootRunId", info.root_execution().run_id()}});
}

/// Without a timeout, servers give the start as the time at which it expires.
std::string expiration_text(Session& session, const Description& description,
                            const google::protobuf::Timestamp& expiration) {
    const auto& start = description.workflow_execution_info().start_time();
    return from_proto(expiration) > from_proto(start) ? session.time_text(expiration) : "";
}

void print_extended_info(Session& session, const Description& description) {
    const auto& config = description.execution_config();
    const auto& extended = description.workflow_extended_info();
    session.printer().heading("Extended Execution Info:");
    session.printer().card(
        {{"CancelRequested", extended.cancel_requested() ? "true" : "false"},
         {"ExecutionExpirationTime",
          expiration_text(session, description, extended.execution_expiration_time())},
         {"RunExpirationTime",
          expiration_text(session, description, extended.run_expiration_time())},
         {"OriginalStartTime", session.time_text(extended.original_start_time())},
         {"LastResetTime", session.time_text(extended.last_reset_time())}});
    const auto& metadata = config.user_metadata();
    if (!metadata.has_summary() && !metadata.has_details()) return;
    session.printer().line();
    session.printer().heading("Metadata:");
    session.printer().card(
        {{"StaticSummary", metadata.has_summary() ? payload_text(metadata.summary()) : ""},
         {"StaticDetails", metadata.has_details() ? payload_text(metadata.details()) : ""}});
}

void print_activities(Session& session, const Description& description) {
    session.printer().heading(
        fmt::format("Pending Activities: {}", description.pending_activities_size()));
    for (const auto& activity : description.pending_activities()) {
        session.printer().line();
        session.printer().card(
            {{"ActivityId", activity.activity_id()},
             {"Type", activity.activity_type().name()},
             {"State", camel_case(enums::PendingActivityState_Name(activity.state()),
                                  "PENDING_ACTIVITY_STATE_")},
             {"Attempt", number(activity.attempt())},
             {"MaximumAttempts", number_unless_zero(activity.maximum_attempts())},
             {"ScheduledTime", session.time_text(activity.scheduled_time())},
             {"LastStartedTime", session.time_text(activity.last_started_time())},
             {"LastHeartbeatTime", session.time_text(activity.last_heartbeat_time())},
             {"NextAttemptTime", session.time_text(activity.next_attempt_schedule_time())},
             {"ExpirationTime", session.time_text(activity.expiration_time())},
             {"LastFailure",
              activity.has_last_failure() ? failure_text(activity.last_failure()) : ""},
             {"LastWorkerIdentity", activity.last_worker_identity()},
             {"LastHeartbeatDetails", activity.has_heartbeat_details()
                                          ? payloads_to_json(activity.heartbeat_details()).dump()
                                          : ""}});
    }
}

void print_children(Session& session, const Description& description) {
    session.printer().heading(
        fmt::format("Pending Child Workflows: {}", description.pending_children_size()));
    for (const auto& child : description.pending_children()) {
        session.printer().line();
        session.printer().card({{"WorkflowId", child.workflow_id()},
                                {"RunId", child.run_id()},
                                {"Type", child.workflow_type_name()},
                                {"InitiatedEventId", number(child.initiated_id())}});
    }
}

/// The workflow task that waits for a worker, or that one works on.
void print_workflow_task(Session& session, const Description& description) {
    if (!description.has_pending_workflow_task()) return;
    const auto& task = description.pending_workflow_task();
    session.printer().heading("Pending Workflow Task:");
    session.printer().card({{"State", camel_case(enums::PendingWorkflowTaskState_Name(task.state()),
                                                 "PENDING_WORKFLOW_TASK_STATE_")},
                            {"Attempt", number(task.attempt())},
                            {"ScheduledTime", session.time_text(task.scheduled_time())},
                            {"StartedTime", session.time_text(task.started_time())}});
}

}  // namespace

void print_description(Session& session, const Description& description) {
    Printer& printer = session.printer();
    print_execution_info(session, description);
    printer.line();
    print_extended_info(session, description);
    const auto status = description.workflow_execution_info().status();
    if (status != enums::WORKFLOW_EXECUTION_STATUS_RUNNING) return;
    printer.line();
    print_workflow_task(session, description);
    print_activities(session, description);
    print_children(session, description);
    printer.heading(
        fmt::format("Pending Nexus Operations: {}", description.pending_nexus_operations_size()));
}

}  // namespace stele::cli
