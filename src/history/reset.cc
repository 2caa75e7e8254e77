#include "history/reset.h"

#include "history/activity.h"
#include "history/begin_run.h"
#include "history/children.h"
#include "history/nexus_family.h"
#include "history/parent_close.h"
#include "history/reapply.h"
#include "history/workflow_task.h"

#include <utility>

namespace stele::history {

namespace enums = api::enums::v1;

namespace {

const std::string kResetter = "history-resetter";

// ---- The state at the reset point ------------------------------------------------------------

absl::StatusOr<Run> state_at(const ResetInput& input, const Context& context) {
    Rebuild rebuild(input.identity, *context.limits);
    for (const EventBatch& batch : input.kept) STELE_RETURN_IF_ERROR(rebuild.add(batch.bytes));
    if (rebuild.run().header.next_event_id() != input.finish.value()) {
        return invalid_argument("StateRebuilder unable to Rebuild mutable state to event ID: " +
                                std::to_string(input.finish.value() - 1) +
                                ", version: 0, this event must be at the boundary");
    }
    return std::move(rebuild).take();
}

template <typename Row>
void insert_all(TableDraft<Row>& draft, const Table<Row>& rows) {
    for (const auto& [id, row] : rows.rows()) draft.insert(id, row);
}

void begin_with(Draft& draft, const Run& state) {
    draft.header = state.header;
    draft.info = state.info;
    draft.attributes = state.attributes;
    insert_all(draft.activities, state.activities);
    insert_all(draft.timers, state.timers);
    insert_all(draft.children, state.children);
    insert_all(draft.external_signals, state.external_signals);
    insert_all(draft.external_cancels, state.external_cancels);
    insert_all(draft.nexus_operations, state.nexus_operations);
    insert_all(draft.request_ids, state.request_ids);
    insert_all(draft.callbacks, state.callbacks);
}

/// Timeouts of the run count from now, or a run that has expired could never be reset.
void restart_timeouts(storage::InfoRow& info, Timestamp now) {
    const Duration execution = from_proto(info.execution_timeout());
    const Duration run = from_proto(info.run_timeout());
    if (execution > Duration::zero()) {
        *info.mutable_execution_expiration() = to_proto(add_saturating(now, execution));
    }
    const Duration limit = effective_run_timeout(run, execution);
    if (limit > Duration::zero()) {
        *info.mutable_run_expiration() = to_proto(add_saturating(now, limit));
    }
}

// ---- What was under way ----------------------------------------------------------------------

Failure reset_failure(const std::string& reason) {
    Failure failure;
    failure.set_message(reason);
    failure.mutable_reset_workflow_failure_info();
    return failure;
}

/// Only where a task waits for its worker, or is with it, can the worker be made to decide anew.
absl::Status fail_task(Builder& builder, const ResetInput& input) {
    if (!builder.has_workflow_task()) {
        return invalid_argument(
            "Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, "
            "WorkflowTaskStarted + 1]: " +
            std::to_string(input.finish.value()));
    }
    if (!builder.has_started_workflow_task()) {
        // Nobody asked for this start; Temporal's name for that is part of histories.
        start_scheduled_task(builder, {"emptyUuid", kHistoryServiceIdentity});
    }
    const storage::WorkflowTask& task = builder.header().task();
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    auto& failed = *event.mutable_workflow_task_failed_event_attributes();
    failed.set_scheduled_event_id(task.scheduled_event_id());
    failed.set_started_event_id(task.started_event_id());
    failed.set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW);
    *failed.mutable_failure() = reset_failure(input.reason);
    failed.set_identity(kHistoryServiceIdentity);
    failed.set_base_run_id(input.base_run_id);
    failed.set_new_run_id(input.identity.run_id);
    builder.add_event(std::move(event));
    builder.header().mutable_task()->Clear();
    builder.header().mutable_task()->set_attempt(1);
    return absl::OkStatus();
}

/// The worker of a started attempt reports to the old run, which has no use for it any more.
void fail_started_activity(Builder& builder, const storage::ActivityRow& row,
                           const std::string& reason) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
    auto& failed = *event.mutable_activity_task_failed_event_attributes();
    failed.set_scheduled_event_id(row.scheduled_event_id());
    failed.set_started_event_id(row.started_event_id());
    *failed.mutable_failure() = reset_failure(reason);
    failed.set_retry_state(enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
    failed.set_identity(row.started_identity());
    builder.add_event(std::move(event));
}

void restart_activities(Builder& builder, const Table<storage::ActivityRow>& pending,
                        const std::string& reason) {
    for (const auto& [id, row] : pending.rows()) {
        if (is_started(row)) {
            fail_started_activity(builder, row, reason);
            forget_activity(builder, id);
            continue;
        }
        storage::ActivityRow& waiting = builder.draft().activities.edit(id);
        *waiting.mutable_scheduled_time() = to_proto(builder.now());
        *waiting.mutable_first_scheduled_time() = to_proto(builder.now());
        enqueue_attempt(builder, waiting);
    }
}

/// The old run's requests to others may have arrived or not: the new run sends its own.
void restart_external(Builder& builder, TableDraft<storage::ExternalRow>& pending,
                      storage::OutboxRow::Kind kind) {
    std::vector<ItemId> ids;
    pending.for_each([&](ItemId id, const storage::ExternalRow&) { ids.push_back(id); });
    for (const ItemId id : ids) {
        pending.edit(id).set_request_id(builder.context().new_id());
        send_external(builder, kind, EventId(id));
    }
}

/// A child that the old run has started after the reset point, and that still runs, goes on as the new
/// run's: asked for under the same run id, it is found. The start of any other is taken back.
void restart_children(Builder& builder, const Table<storage::ChildRow>& pending,
                      const std::map<std::int64_t, std::string>& running) {
    for (const auto& [id, child] : pending.rows()) {
        // What the base has learned of it may have told the new run already.
        const storage::ChildRow* waiting = builder.draft().children.find(id);
        if (waiting == nullptr || is_started(*waiting)) continue;
        const auto known = running.find(id);
        ask_for_child(builder, EventId(id), known == running.end() ? "" : known->second);
    }
}

/// An operation that its handler goes on with is the new run's from now on. Any other is started again,
/// under the request id by which the handler knows it.
void restart_nexus_operations(Builder& builder, const Table<storage::NexusOperationRow>& pending) {
    for (const auto& [id, row] : pending.rows()) {
        if (!is_started(row)) {
            storage::NexusOperationRow& waiting = builder.draft().nexus_operations.edit(id);
            if (row.endpoint_id().empty()) waiting.set_new_run_id(builder.context().new_id());
            send_nexus_start(builder, row);
        } else if (row.has_cancellation() && !row.cancellation().over()) {
            send_nexus_cancellation(builder, row);
        }
    }
}

absl::Status perform(Builder& builder, const ResetInput& input) {
    for (const auto& operation : input.operations) {
        if (!operation.has_update_workflow_options()) {
            return invalid_argument("unsupported post reset operation: <nil>");
        }
        const auto& update = operation.update_workflow_options();
        STELE_RETURN_IF_ERROR(
            change_options(builder, {update.workflow_execution_options(), update.update_mask(), ""})
                .status());
    }
    return absl::OkStatus();
}

}  // namespace

ReapplyExclusions reapply_exclusions(const service::ResetWorkflowExecutionRequest& request) {
    ReapplyExclusions excluded;
    excluded.updates = request.reset_reapply_type() == enums::RESET_REAPPLY_TYPE_SIGNAL ||
                       request.reset_reapply_type() == enums::RESET_REAPPLY_TYPE_NONE;
    excluded.signals = request.reset_reapply_type() == enums::RESET_REAPPLY_TYPE_NONE;
    for (const int type : request.reset_reapply_exclude_types()) {
        excluded.signals |= type == enums::RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL;
        excluded.updates |= type == enums::RESET_REAPPLY_EXCLUDE_TYPE_UPDATE;
        excluded.nexus |= type == enums::RESET_REAPPLY_EXCLUDE_TYPE_NEXUS;
    }
    return excluded;
}

absl::StatusOr<NewRun> reset_run(ResetInput input, const Context& context) {
    STELE_ASSIGN_OR_RETURN(const Run state, state_at(input, context));
    NewRun made;
    made.run = std::make_unique<Run>();
    Builder builder(*made.run, context);
    begin_with(builder.draft(), state);
    restart_timeouts(*builder.draft().info, context.now);
    builder.draft().info->set_reset_request_id(input.request_id);
    if (!context.limits->reset_with_children && !state.children.empty()) {
        return invalid_argument("WorkflowResetter encountered pending child workflows.");
    }
    STELE_RETURN_IF_ERROR(fail_task(builder, input));
    restart_activities(builder, state.activities, input.reason);
    restart_external(builder, builder.draft().external_signals, storage::OutboxRow::KIND_SIGNAL);
    restart_external(builder, builder.draft().external_cancels, storage::OutboxRow::KIND_CANCEL);
    for (const HistoryEvent& event : input.later_of_children) reapply_child(builder, event);
    restart_children(builder, state.children, input.running_children);
    restart_nexus_operations(builder, state.nexus_operations);
    for (const HistoryEvent& event : input.later) reapply(builder, event);
    STELE_RETURN_IF_ERROR(perform(builder, input));
    builder.schedule_workflow_task_if_needed();
    Transition transition = std::move(builder).finish();
    transition.events.insert(transition.events.begin(), std::make_move_iterator(input.kept.begin()),
                             std::make_move_iterator(input.kept.end()));
    made.transition = std::make_unique<Transition>(std::move(transition));
    return made;
}

absl::StatusOr<Applied<None>> terminate_for_reset(const Run& run, const std::string& reason,
                                                  const std::string& reset_run_id,
                                                  const Context& context) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    Builder builder(run, context);
    // Known before the run is closed: its parent and its children belong to the new run.
    builder.header().set_was_reset(true);
    if (!reset_run_id.empty()) builder.header().set_reset_run_id(reset_run_id);
    TerminateInput input;
    input.reason = reason;
    input.identity = kResetter;
    terminate_run(builder, input);
    return Applied<None>{std::move(builder).finish(), {}};
}

Applied<None> link_reset_run(const Run& base, const std::string& reset_run_id,
                             const Context& context) {
    Builder builder(base, context);
    builder.header().set_reset_run_id(reset_run_id);
    return {std::move(builder).finish(), {}};
}

}  // namespace stele::history
