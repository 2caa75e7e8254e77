#include "base/probe.h"
#include "history/callback_family.h"
#include "history/parent_close.h"
#include "history/workflow_task.h"

#include <algorithm>
#include <utility>
#include <vector>

// What every way of closing a run has in common, and the closing that an operator forces.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

template <typename Row>
void erase_all(TableDraft<Row>& rows) {
    std::vector<ItemId> ids;
    rows.for_each([&](ItemId id, const Row&) { ids.push_back(id); });
    for (const ItemId id : ids) rows.erase(id);
}

}  // namespace

void Builder::close_run(enums::WorkflowExecutionStatus status) {
    STELE_CHECK(is_open(), "a run was closed twice");
    std::vector<ItemId> dispatched;
    draft().activities.for_each([&](ItemId id, const storage::ActivityRow& activity) {
        if (activity.dispatch_sequence() != 0) dispatched.push_back(id);
    });
    for (const ItemId id : dispatched) withdraw_activity_dispatch(draft().activities.edit(id));
    withdraw_workflow_task_dispatch();
    tell_workers_of_close(*this);
    if (!STELE_BUG("parent-close.lost")) apply_parent_close_policy(*this);
    report_to_parent(*this, last_event());
    send_close_callbacks(*this);

    erase_all(draft().activities);
    erase_all(draft().timers);
    erase_all(draft().children);
    erase_all(draft().external_signals);
    erase_all(draft().external_cancels);
    erase_all(draft().nexus_operations);
    erase_all(draft().buffered);

    storage::HeaderRow& row = header();
    row.set_status(status);
    *row.mutable_close_time() = to_proto(now());
    row.set_completion_event_id(row.next_event_id() - 1);
    row.clear_task();
    row.clear_sticky_task_queue();
    row.clear_sticky_schedule_to_start();
    row.set_first_task_pending(false);
    row.set_awaits_parent(false);
    row.set_close_attempted(false);
    row.set_buffered_bytes(0);
    transition().closed = true;
}

void end_task_by_force(Builder& builder) {
    if (builder.has_started_workflow_task()) {
        fail_started_task(builder, enums::WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND, {},
                          kHistoryServiceIdentity);
    } else {
        drop_speculative_task(builder);
    }
    STELE_PROBE_IF("history.forced-end-flushes", builder.has_buffered_events());
    if (STELE_BUG("history.forced-end-loses-events")) return;
    builder.flush_buffered_events();
}

void terminate_run(Builder& builder, const TerminateInput& input) {
    end_task_by_force(builder);
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
    auto& attributes = *event.mutable_workflow_execution_terminated_event_attributes();
    attributes.set_reason(input.reason);
    if (input.details.payloads_size() > 0) *attributes.mutable_details() = input.details;
    attributes.set_identity(input.identity);
    event.mutable_links()->Assign(input.links.begin(), input.links.end());
    builder.add_event(std::move(event));
    builder.close_run(enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
}

void time_out_run(Builder& builder, enums::RetryState retry_state, const std::string& new_run_id) {
    STELE_PROBE("history.run-timed-out");
    end_task_by_force(builder);
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT);
    auto& attributes = *event.mutable_workflow_execution_timed_out_event_attributes();
    attributes.set_retry_state(retry_state);
    attributes.set_new_execution_run_id(new_run_id);
    builder.add_event(std::move(event));
    builder.header().set_run_timed_out(true);
    builder.close_run(enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
}

const char* exceeded_limit(const Builder& builder) {
    const storage::HeaderRow& before = builder.draft().base->header;
    // Whoever closes a run, or makes a new one, is not stopped by what has become of it.
    if (!builder.is_open() || before.next_event_id() == 0) return nullptr;
    const Limits& limits = *builder.context().limits;
    if (static_cast<std::size_t>(before.history_size_bytes()) > limits.history_bytes) {
        return "Workflow history size exceeds limit.";
    }
    // One event from outside may go over: it is the next one that finds the history full.
    const std::int64_t events = builder.header().next_event_id() - 1 - builder.outside_events();
    if (static_cast<std::size_t>(std::max<std::int64_t>(events, 0)) > limits.history_events) {
        return "Workflow history count exceeds limit.";
    }
    if (builder.draft().bytes() > limits.state_bytes) {
        return "Workflow mutable state size exceeds limit.";
    }
    return nullptr;
}

void bound_buffer(Builder& builder) {
    if (!builder.is_open()) return;
    const Limits& limits = *builder.context().limits;
    const bool too_much_waits =
        builder.draft().buffered.size() > limits.buffered_events ||
        static_cast<std::size_t>(builder.header().buffered_bytes()) > limits.buffered_bytes;
    if (too_much_waits && builder.has_started_workflow_task()) {
        end_task_by_force(builder);
        builder.schedule_workflow_task_if_needed();
    }
}

}  // namespace stele::history
