#include "history/activity.h"

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using api::workflow::v1::PendingActivityInfo;

enums::PendingActivityState state_of(const storage::ActivityRow& row) {
    if (row.cancel_requested()) return enums::PENDING_ACTIVITY_STATE_CANCEL_REQUESTED;
    if (row.has_pause()) {
        return is_started(row) ? enums::PENDING_ACTIVITY_STATE_PAUSE_REQUESTED
                               : enums::PENDING_ACTIVITY_STATE_PAUSED;
    }
    return is_started(row) ? enums::PENDING_ACTIVITY_STATE_STARTED
                           : enums::PENDING_ACTIVITY_STATE_SCHEDULED;
}

void describe_pause(const storage::ActivityPause& pause, PendingActivityInfo& info) {
    info.set_paused(true);
    auto& described = *info.mutable_pause_info();
    *described.mutable_pause_time() = pause.time();
    if (!pause.rule_id().empty()) {
        described.mutable_rule()->set_rule_id(pause.rule_id());
        return;
    }
    described.mutable_manual()->set_identity(pause.identity());
    described.mutable_manual()->set_reason(pause.reason());
}

void describe_attempts(const storage::ActivityRow& row, PendingActivityInfo& info) {
    info.set_attempt(row.attempt());
    info.set_maximum_attempts(row.retry_policy().maximum_attempts());
    if (row.has_last_failure()) *info.mutable_last_failure() = row.last_failure();
    if (row.has_last_attempt_complete_time()) {
        *info.mutable_last_attempt_complete_time() = row.last_attempt_complete_time();
    }
    if (row.has_next_attempt_time() && !row.cancel_requested()) {
        *info.mutable_next_attempt_schedule_time() = row.next_attempt_time();
        *info.mutable_current_retry_interval() = row.current_retry_interval();
    }
    const Timestamp expiration = retry_expiration(row);
    if (expiration != kNever) *info.mutable_expiration_time() = to_proto(expiration);
}

void describe_worker(const storage::ActivityRow& row, PendingActivityInfo& info) {
    if (is_started(row)) *info.mutable_last_started_time() = row.started_time();
    info.set_last_worker_identity(row.started_identity().empty() ? row.last_worker_identity()
                                                                 : row.started_identity());
    if (!row.has_last_heartbeat_time()) return;
    *info.mutable_last_heartbeat_time() = row.last_heartbeat_time();
    if (row.has_last_heartbeat_details()) {
        *info.mutable_heartbeat_details() = row.last_heartbeat_details();
    }
}

void describe_options(const storage::ActivityRow& row, PendingActivityInfo& info) {
    auto& options = *info.mutable_activity_options();
    options.mutable_task_queue()->set_name(row.task_queue());
    options.mutable_task_queue()->set_normal_name(row.task_queue());
    *options.mutable_schedule_to_close_timeout() = row.schedule_to_close();
    *options.mutable_schedule_to_start_timeout() = row.schedule_to_start();
    *options.mutable_start_to_close_timeout() = row.start_to_close();
    *options.mutable_heartbeat_timeout() = row.heartbeat();
    *options.mutable_retry_policy() = row.retry_policy();
    options.mutable_retry_policy()->clear_non_retryable_error_types();
    if (row.has_priority()) *options.mutable_priority() = row.priority();
}

}  // namespace

void describe_activities(const Run& run, service::DescribeWorkflowExecutionResponse& response) {
    for (const auto& [id, row] : run.activities.rows()) {
        PendingActivityInfo& info = *response.add_pending_activities();
        info.set_activity_id(row.activity_id());
        info.mutable_activity_type()->set_name(row.activity_type());
        info.set_state(state_of(row));
        *info.mutable_scheduled_time() = row.scheduled_time();
        if (row.has_priority()) *info.mutable_priority() = row.priority();
        describe_attempts(row, info);
        describe_worker(row, info);
        describe_options(row, info);
        if (row.has_pause()) describe_pause(row.pause(), info);
    }
}

}  // namespace stele::history
