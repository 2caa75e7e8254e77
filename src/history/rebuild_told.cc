#include "history/rebuild.h"

#include <map>
#include <utility>

namespace stele::history {
namespace {

storage::HeaderRow told(const storage::HeaderRow& header) {
    storage::HeaderRow result;
    result.set_status(header.status());
    result.set_next_event_id(header.next_event_id());
    result.set_last_batch_first_event_id(header.last_batch_first_event_id());
    result.set_history_size_bytes(header.history_size_bytes());
    result.set_last_completed_task_started_event_id(header.last_completed_task_started_event_id());
    result.set_cancel_requested(header.cancel_requested());
    result.set_signal_count(header.signal_count());
    if (header.has_close_time()) *result.mutable_close_time() = header.close_time();
    result.set_completion_event_id(header.completion_event_id());
    result.set_successor_run_id(header.successor_run_id());
    result.set_run_timed_out(header.run_timed_out());
    result.set_sdk_name(header.sdk_name());
    result.set_sdk_version(header.sdk_version());
    *result.mutable_execution_time() = header.execution_time();
    if (header.has_most_recent_worker_version()) {
        *result.mutable_most_recent_worker_version() = header.most_recent_worker_version();
    }
    if (header.has_pause()) *result.mutable_pause() = header.pause();
    *result.mutable_reset_points() = header.reset_points();
    result.set_external_payload_bytes(header.external_payload_bytes());
    result.set_external_payload_count(header.external_payload_count());
    if (header.task().kind() != storage::TASK_KIND_NORMAL) return result;
    result.mutable_task()->set_scheduled_event_id(header.task().scheduled_event_id());
    result.mutable_task()->set_started_event_id(header.task().started_event_id());
    return result;
}

storage::InfoRow told(storage::InfoRow info) {
    info.clear_reset_request_id();
    info.clear_event_task_base();
    // A reset counts the timeouts of its run anew.
    if (info.original_execution_run_id() != info.run_id()) {
        info.clear_execution_expiration();
        info.clear_run_expiration();
    }
    return info;
}

storage::AttributesRow told(storage::AttributesRow attributes) {
    auto& fields = *attributes.mutable_search_attributes()->mutable_indexed_fields();
    // Of these the server keeps account itself, and of more than events.
    fields.erase("TemporalPauseInfo");
    fields.erase("TemporalReportedProblems");
    attributes.mutable_memo();
    return attributes;
}

storage::ActivityRow told(const storage::ActivityRow& row) {
    storage::ActivityRow result;
    result.set_scheduled_event_id(row.scheduled_event_id());
    result.set_activity_id(row.activity_id());
    result.set_activity_type(row.activity_type());
    result.set_scheduled_by_task_completed_event_id(row.scheduled_by_task_completed_event_id());
    result.set_cancel_requested(row.cancel_requested());
    result.set_cancel_request_event_id(row.cancel_request_event_id());
    *result.mutable_header() = row.header();
    *result.mutable_input() = row.input();
    *result.mutable_user_metadata() = row.user_metadata();
    return result;
}

storage::ExternalRow told(storage::ExternalRow row) {
    row.clear_request_id();
    return row;
}

storage::NexusOperationRow told(storage::NexusOperationRow row) {
    row.clear_attempt();
    row.clear_next_attempt_time();
    row.clear_last_attempt_time();
    row.clear_last_failure();
    row.clear_new_run_id();
    if (!row.has_cancellation()) return row;
    storage::NexusCancellation& cancellation = *row.mutable_cancellation();
    cancellation.clear_attempt();
    cancellation.clear_next_attempt_time();
    cancellation.clear_last_attempt_time();
    cancellation.clear_last_failure();
    return row;
}

template <typename Row>
Table<Row> told(const Table<Row>& table) {
    Table<Row> result;
    for (const auto& [id, row] : table.rows()) result.put(id, told(row));
    return result;
}

/// By the events that they belong to: the numbers of the rows count other things as well.
Table<storage::RequestIdRow> told(const Table<storage::RequestIdRow>& table) {
    std::map<std::pair<std::int64_t, std::string>, storage::RequestIdRow> ordered;
    for (const auto& [id, row] : table.rows()) {
        ordered.emplace(std::pair(row.event_id(), row.request_id()), row);
    }
    Table<storage::RequestIdRow> result;
    ItemId number = 0;
    for (auto& [key, row] : ordered) {
        row.set_sequence(++number);
        result.put(number, std::move(row));
    }
    return result;
}

}  // namespace

Run told_by_history(const Run& run) {
    Run result;
    result.info = told(run.info);
    result.header = told(run.header);
    result.attributes = told(run.attributes);
    result.activities = told(run.activities);
    result.timers = run.timers;
    result.external_signals = told(run.external_signals);
    result.external_cancels = told(run.external_cancels);
    result.nexus_operations = told(run.nexus_operations);
    result.request_ids = told(run.request_ids);
    result.updates = run.updates;
    return result;
}

}  // namespace stele::history
