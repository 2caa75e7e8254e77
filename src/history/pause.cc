#include "history/pause.h"

#include "history/activity.h"
#include "history/attributes.h"
#include "history/unchanged.h"

#include <set>
#include <utility>
#include <vector>

namespace stele::history {

namespace enums = api::enums::v1;

namespace {

constexpr char kPauseInfo[] = "TemporalPauseInfo";

template <typename Attributes>
void fill(Attributes& attributes, const PauseInput& input) {
    attributes.set_identity(input.identity);
    attributes.set_reason(input.reason);
    attributes.set_request_id(input.request_id);
}

/// A task that no worker has yet would wait for ever; one that is started runs to its end.
void fail_unstarted_task(Builder& builder) {
    if (!builder.has_workflow_task() || builder.has_started_workflow_task()) return;
    const std::int32_t problems = builder.header().consecutive_task_problems();
    fail_started_task(
        builder, enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_PAUSE_REQUESTED_BEFORE_TASK_STARTED, {},
        kHistoryServiceIdentity);
    // It is no fault of the worker, so the next task is a first attempt.
    builder.header().set_consecutive_task_problems(problems);
    builder.header().mutable_task()->set_attempt(1);
}

std::vector<ItemId> unstarted_activities(const Draft& draft) {
    std::vector<ItemId> ids;
    draft.activities.for_each([&](ItemId id, const storage::ActivityRow& row) {
        if (!is_started(row)) ids.push_back(id);
    });
    return ids;
}

/// Whatever lies in a queue is stale from now on.
void withdraw_activities(Builder& builder) {
    for (const ItemId id : unstarted_activities(builder.draft())) {
        storage::ActivityRow& row = builder.draft().activities.edit(id);
        builder.withdraw_activity_dispatch(row);
        row.clear_released();
        row.set_stamp(row.stamp() + 1);
    }
}

/// Attempts whose time has come meanwhile; the others have their retries before them.
void dispatch_activities(Builder& builder) {
    for (const ItemId id : unstarted_activities(builder.draft())) {
        const storage::ActivityRow& row = *builder.draft().activities.find(id);
        const bool queued = row.dispatch_sequence() != 0;  // released by an operator
        if (row.has_next_attempt_time() || row.has_pause() || queued) continue;
        enqueue_attempt(builder, builder.draft().activities.edit(id));
    }
}

}  // namespace

absl::StatusOr<Applied<None>> pause_workflow(const Run& run, const PauseInput& input,
                                             const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    if (is_paused(run.header)) {
        const std::string& before = run.header.pause().request_id();
        if (before.empty() || before != input.request_id) {
            return failed_precondition("workflow is already paused.");
        }
        return unchanged(run);
    }
    Builder builder(run, context);
    fail_unstarted_task(builder);
    withdraw_activities(builder);
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED);
    event.set_worker_may_ignore(true);
    auto& attributes = *event.mutable_workflow_execution_paused_event_attributes();
    fill(attributes, input);
    mark_paused(builder.header(), attributes, builder.now());
    update_pause_info(builder);
    builder.add_or_buffer_event(std::move(event));
    return Applied<None>{std::move(builder).finish(), {}};
}

absl::StatusOr<Applied<None>> unpause_workflow(const Run& run, const PauseInput& input,
                                               const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    if (!is_paused(run.header)) return failed_precondition("workflow is not paused.");
    Builder builder(run, context);
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED);
    event.set_worker_may_ignore(true);
    fill(*event.mutable_workflow_execution_unpaused_event_attributes(), input);
    mark_unpaused(builder.header());
    update_pause_info(builder);
    dispatch_activities(builder);
    builder.add_or_buffer_event(std::move(event));
    // New events are new to the worker, however often it has failed before.
    if (!builder.has_workflow_task()) builder.header().mutable_task()->set_attempt(1);
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

// ---- Rows ------------------------------------------------------------------------------------

void mark_paused(storage::HeaderRow& header,
                 const api::history::v1::WorkflowExecutionPausedEventAttributes& paused,
                 Timestamp when) {
    header.set_status(enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
    storage::PauseInfo& pause = *header.mutable_pause();
    *pause.mutable_time() = to_proto(when);
    pause.set_identity(paused.identity());
    pause.set_reason(paused.reason());
    pause.set_request_id(paused.request_id());
}

void mark_unpaused(storage::HeaderRow& header) {
    header.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    header.clear_pause();
}

void update_pause_info(Builder& builder) {
    std::vector<std::string> entries;
    const storage::HeaderRow& header = builder.header();
    if (header.has_pause()) {
        entries.push_back("Workflow:" + builder.info().workflow_id());
        if (!header.pause().reason().empty()) {
            entries.push_back("Reason:" + header.pause().reason());
        }
    }
    std::set<std::string> types;
    builder.draft().activities.for_each([&](ItemId, const storage::ActivityRow& row) {
        if (row.has_pause()) types.insert(row.activity_type());
    });
    for (const std::string& type : types) entries.push_back("property:activityType=" + type);
    auto& fields =
        *editable_attributes(builder.draft()).mutable_search_attributes()->mutable_indexed_fields();
    if (entries.empty()) {
        fields.erase(kPauseInfo);
    } else {
        fields[kPauseInfo] = keyword_list_payload(entries);
    }
}

}  // namespace stele::history
