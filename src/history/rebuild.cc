#include "history/rebuild.h"

#include "history/attributes.h"
#include "history/begin_run.h"
#include "history/build_ids.h"
#include "history/callback_family.h"
#include "history/options.h"
#include "history/pause.h"
#include "history/payload_stats.h"
#include "history/reset_points.h"
#include "history/update.h"

#include <algorithm>
#include <utility>

// The run itself and its workflow task; what is pending is folded in rebuild_pending.cc.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

absl::Status data_loss(const std::string& what, const HistoryEvent& event) {
    return make_error(absl::StatusCode::kDataLoss,
                      "event " + std::to_string(event.event_id()) + " of a history " + what);
}

}  // namespace

absl::Status Rebuild::add(std::string_view batch) {
    temporal::api::history::v1::History history;
    if (!history.ParseFromArray(batch.data(), static_cast<int>(batch.size()))) {
        return make_error(absl::StatusCode::kDataLoss, "a batch of events can not be parsed");
    }
    if (history.events_size() == 0) return absl::OkStatus();
    for (const HistoryEvent& event : history.events()) {
        STELE_RETURN_IF_ERROR(add_event(event));
    }
    storage::HeaderRow& header = run_.header;
    header.set_last_batch_first_event_id(history.events(0).event_id());
    header.set_history_size_bytes(header.history_size_bytes() +
                                  static_cast<std::int64_t>(batch.size()));
    header.set_state_transition_count(header.state_transition_count() + 1);
    return absl::OkStatus();
}

absl::Status Rebuild::add_event(const HistoryEvent& event) {
    if (run_.header.next_event_id() == 0) fold_start(event);
    if (event.event_id() != run_.header.next_event_id()) {
        return data_loss("does not follow the one before", event);
    }
    if (!run_.is_open()) return data_loss("stands behind the closing event", event);
    run_.header.set_next_event_id(event.event_id() + 1);
    if (limits_.external_payloads) count_external_payloads(event, run_.header);
    status_ = absl::OkStatus();
    restore_update(run_.updates, event);
    if (const api::update::v1::Request* update = request_of_update(event)) {
        remember_request(update->request_id(), event);
        if (limits_.update_callbacks) {
            restore_callbacks(run_, {update->request_id(), update->meta().update_id()},
                              update->completion_callbacks(), from_proto(event.event_time()));
        }
    }
    // Events of no family here, such as markers, leave nothing behind.
    static_cast<void>(fold_task(event) || fold_activity(event) || fold_timer(event) ||
                      fold_external(event) || fold_child(event) || fold_nexus(event) ||
                      fold_run(event) || fold_close(event));
    return status_;
}

void Rebuild::fold_start(const HistoryEvent& event) {
    RunBirth birth;
    birth.namespace_id = identity_.namespace_id;
    birth.namespace_name = identity_.namespace_name;
    birth.run_id = identity_.run_id;
    birth.run_key = identity_.run_key;
    birth.request_id = identity_.create_request_id;
    birth.started = event.workflow_execution_started_event_attributes();
    birth.links = event.links();
    birth.has_user_metadata = event.has_user_metadata();
    birth.user_metadata = event.user_metadata();
    run_.info = make_info(birth, identity_.start_time);
    if (from_proto(event.event_time()) != identity_.start_time) {
        *run_.info.mutable_original_start_time() = event.event_time();
    }
    fill_header(run_.header, birth.started, identity_.start_time);
    run_.attributes = make_attributes(birth.started, limits_);
    restore_callbacks(run_, {birth.request_id}, birth.started.completion_callbacks(),
                      from_proto(event.event_time()));
}

// ---- The workflow task -----------------------------------------------------------------------

bool Rebuild::fold_task(const HistoryEvent& event) {
    storage::WorkflowTask& task = *run_.header.mutable_task();
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: {
            const auto& scheduled = event.workflow_task_scheduled_event_attributes();
            task.Clear();
            task.set_kind(storage::TASK_KIND_NORMAL);
            task.set_scheduled_event_id(event.event_id());
            task.set_attempt(scheduled.attempt());
            *task.mutable_scheduled_time() = event.event_time();
            *task.mutable_original_scheduled_time() = event.event_time();
            *task.mutable_start_to_close() = scheduled.start_to_close_timeout();
            task.set_task_queue(scheduled.task_queue().name());
            task.set_on_sticky_queue(scheduled.task_queue().kind() ==
                                     enums::TASK_QUEUE_KIND_STICKY);
            run_.header.set_first_task_pending(false);
            return true;
        }
        case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED: {
            const auto& started = event.workflow_task_started_event_attributes();
            task.set_started_event_id(event.event_id());
            *task.mutable_started_time() = event.event_time();
            task.set_request_id(started.request_id());
            task.set_identity(started.identity());
            task.set_history_size_bytes(started.history_size_bytes());
            task.set_suggest_continue_as_new(started.suggest_continue_as_new());
            *task.mutable_suggest_reasons() = started.suggest_continue_as_new_reasons();
            return true;
        }
        case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED: fold_completed_task(event); return true;
        case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
        case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
            task.Clear();
            task.set_attempt(1);
            return true;
        default: return false;
    }
}

void Rebuild::fold_completed_task(const HistoryEvent& event) {
    const auto& completed = event.workflow_task_completed_event_attributes();
    storage::HeaderRow& header = run_.header;
    header.mutable_task()->Clear();
    header.mutable_task()->set_attempt(1);
    header.set_last_completed_task_started_event_id(completed.started_event_id());
    header.clear_most_recent_worker_version();
    if (completed.has_worker_version()) {
        *header.mutable_most_recent_worker_version() = completed.worker_version();
    }
    if (!completed.sdk_metadata().sdk_name().empty()) {
        header.set_sdk_name(completed.sdk_metadata().sdk_name());
        header.set_sdk_version(completed.sdk_metadata().sdk_version());
    }
    auto& fields = *run_.attributes.mutable_search_attributes()->mutable_indexed_fields();
    if (auto build_ids =
            add_build_id(fields, completed.worker_version(), limits_.search_attribute_bytes)) {
        fields[kBuildIds] = *std::move(build_ids);
    }
    const bool resettable =
        run_.children.empty() && run_.external_signals.empty() && run_.external_cancels.empty();
    add_reset_point(header, run_.info.run_id(), completed,
                    {EventId(event.event_id()), from_proto(event.event_time()), resettable},
                    limits_.reset_points);
}

// ---- The run ---------------------------------------------------------------------------------

bool Rebuild::fold_run(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            run_.header.set_signal_count(run_.header.signal_count() + 1);
            remember_request(event.workflow_execution_signaled_event_attributes().request_id(),
                             event);
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            run_.header.set_cancel_requested(true);
            return true;
        case enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            merge_payloads(*run_.attributes.mutable_search_attributes()->mutable_indexed_fields(),
                           event.upsert_workflow_search_attributes_event_attributes()
                               .search_attributes()
                               .indexed_fields());
            return true;
        case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
            merge_payloads(
                *run_.attributes.mutable_memo()->mutable_fields(),
                event.workflow_properties_modified_event_attributes().upserted_memo().fields());
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: {
            const auto& updated = event.workflow_execution_options_updated_event_attributes();
            apply_options(run_.info, updated);
            restore_attached(updated, event);
            return true;
        }
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
            forget_update_callbacks(
                run_,
                event.workflow_execution_update_completed_event_attributes().meta().update_id());
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED:
            mark_paused(run_.header, event.workflow_execution_paused_event_attributes(),
                        from_proto(event.event_time()));
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED: mark_unpaused(run_.header); return true;
        default: return false;
    }
}

void Rebuild::restore_attached(
    const api::history::v1::WorkflowExecutionOptionsUpdatedEventAttributes& updated,
    const HistoryEvent& event) {
    const Timestamp when = from_proto(event.event_time());
    remember_request(updated.attached_request_id(), event);
    restore_callbacks(run_, {updated.attached_request_id()},
                      updated.attached_completion_callbacks(), when);
    for (const auto& joined : updated.workflow_update_options()) {
        remember_request(joined.attached_request_id(), event);
        restore_callbacks(run_, {joined.attached_request_id(), joined.update_id()},
                          joined.attached_completion_callbacks(), when);
    }
}

void Rebuild::remember_request(const std::string& request_id, const HistoryEvent& event) {
    if (request_id.empty() || run_.request_ids.id_of(request_id)) return;
    const ItemId item = run_.header.next_item_sequence() + 1;
    run_.header.set_next_item_sequence(item);
    storage::RequestIdRow row;
    row.set_sequence(item);
    row.set_request_id(request_id);
    row.set_event_id(event.event_id());
    row.set_event_type(event.event_type());
    run_.request_ids.put(item, std::move(row));
}

bool Rebuild::fold_close(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            close(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED, event,
                  event.workflow_execution_completed_event_attributes().new_execution_run_id());
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            close(enums::WORKFLOW_EXECUTION_STATUS_FAILED, event,
                  event.workflow_execution_failed_event_attributes().new_execution_run_id());
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            run_.header.set_run_timed_out(true);
            close(enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT, event,
                  event.workflow_execution_timed_out_event_attributes().new_execution_run_id());
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            close(enums::WORKFLOW_EXECUTION_STATUS_CANCELED, event);
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            close(enums::WORKFLOW_EXECUTION_STATUS_TERMINATED, event);
            return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            close(enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW, event,
                  event.workflow_execution_continued_as_new_event_attributes()
                      .new_execution_run_id());
            return true;
        default: return false;
    }
}

void Rebuild::close(enums::WorkflowExecutionStatus status, const HistoryEvent& event,
                    const std::string& successor_run_id) {
    storage::HeaderRow& header = run_.header;
    header.set_status(status);
    *header.mutable_close_time() = event.event_time();
    header.set_completion_event_id(event.event_id());
    header.set_successor_run_id(successor_run_id);
    header.clear_task();
    run_.activities = {};
    run_.timers = {};
    run_.children = {};
    run_.external_signals = {};
    run_.external_cancels = {};
    run_.nexus_operations = {};
}

}  // namespace stele::history
