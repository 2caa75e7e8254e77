#include "history/callback_family.h"

#include "history/parent_close.h"
#include "history/unchanged.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

using storage::CallbackRow;

CallbackRow make_row(ItemId item, const CallbackOrigin& origin,
                     const api::common::v1::Callback& callback, Timestamp when) {
    CallbackRow row;
    row.set_item(item);
    *row.mutable_callback() = callback;
    row.set_request_id(origin.request_id);
    *row.mutable_registered() = to_proto(when);
    row.set_update_id(origin.update_id);
    return row;
}

void put_into_outbox(Builder& builder, ItemId item) {
    storage::OutboxRow row =
        outbox_row(builder, storage::OutboxRow::KIND_CALLBACK, EventId(callback_number(item)));
    row.set_callback(item);
    builder.transition().outbox.push_back(std::move(row));
}

/// Sends the callbacks that stand by and that `matches` likes.
template <typename Matches>
void send(Builder& builder, EventId outcome, Matches matches) {
    std::vector<ItemId> sent;
    builder.draft().callbacks.for_each([&](ItemId id, const CallbackRow& row) {
        if (row.state() == CallbackRow::STATE_STANDBY && matches(row)) sent.push_back(id);
    });
    for (const ItemId id : sent) {
        CallbackRow& row = builder.draft().callbacks.edit(id);
        row.set_state(CallbackRow::STATE_SCHEDULED);
        row.set_outcome_event_id(outcome.value());
        put_into_outbox(builder, id);
    }
}

bool was_accepted(const Draft& draft, const std::string& update_id) {
    const storage::UpdateRow* update = draft.updates.find_named(update_id);
    return update != nullptr && update->accepted_event_id() != 0;
}

/// The run ends, but what it was to do goes on in another.
bool goes_on(const HistoryEvent& closing) {
    switch (closing.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: return true;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return closing.workflow_execution_failed_event_attributes().retry_state() ==
                   enums::RETRY_STATE_IN_PROGRESS;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            return closing.workflow_execution_timed_out_event_attributes().retry_state() ==
                   enums::RETRY_STATE_IN_PROGRESS;
        default: return false;
    }
}

Duration backoff(const CallbackRow& row, const Limits& limits) {
    Duration wait = limits.callback_retry;
    for (int i = 1; i < row.attempt() && wait < limits.longest_callback_retry; ++i) wait *= 2;
    return std::min(wait, limits.longest_callback_retry);
}

void settle(Builder& builder, CallbackRow& row, const absl::Status& answer) {
    row.set_attempt(row.attempt() + 1);
    *row.mutable_last_attempt_complete_time() = to_proto(builder.now());
    row.clear_next_attempt_time();
    row.clear_last_failure();
    if (answer.ok()) {
        row.set_state(CallbackRow::STATE_SUCCEEDED);
        return;
    }
    const bool for_good = answer.code() == absl::StatusCode::kFailedPrecondition;
    auto& failure = *row.mutable_last_failure();
    failure.set_message(message_of(answer));
    failure.mutable_application_failure_info()->set_non_retryable(for_good);
    if (for_good) {
        row.set_state(CallbackRow::STATE_FAILED);
        return;
    }
    row.set_state(CallbackRow::STATE_BACKING_OFF);
    *row.mutable_next_attempt_time() =
        to_proto(add_saturating(builder.now(), backoff(row, *builder.context().limits)));
    put_into_outbox(builder, row.item());
}

enums::CallbackState described_state(const CallbackRow& row) {
    switch (row.state()) {
        case CallbackRow::STATE_SCHEDULED: return enums::CALLBACK_STATE_SCHEDULED;
        case CallbackRow::STATE_BACKING_OFF: return enums::CALLBACK_STATE_BACKING_OFF;
        case CallbackRow::STATE_FAILED: return enums::CALLBACK_STATE_FAILED;
        case CallbackRow::STATE_SUCCEEDED: return enums::CALLBACK_STATE_SUCCEEDED;
        default: return enums::CALLBACK_STATE_STANDBY;
    }
}

}  // namespace

absl::Status check_callback_count(std::size_t attached, int added, const Limits& limits) {
    const bool fits = attached + static_cast<std::size_t>(added) <= limits.callbacks_per_run;
    if (added == 0 || fits) return absl::OkStatus();
    return failed_precondition(
        "cannot attach more than " + std::to_string(limits.callbacks_per_run) +
        " callbacks to a workflow (" + std::to_string(attached) + " callbacks already attached)");
}

absl::Status check_callbacks(const Draft& draft, const CallbackOrigin& origin, int added,
                             const Limits& limits) {
    STELE_RETURN_IF_ERROR(check_callback_count(draft.callbacks.size(), added, limits));
    if (added == 0 || origin.update_id.empty()) return absl::OkStatus();
    std::size_t of_update = 0;
    draft.callbacks.for_each([&](ItemId, const CallbackRow& row) {
        if (row.update_id() == origin.update_id) ++of_update;
    });
    if (of_update + static_cast<std::size_t>(added) > limits.callbacks_per_update) {
        return failed_precondition("cannot attach more than " +
                                   std::to_string(limits.callbacks_per_update) +
                                   " callbacks to update \"" + origin.update_id + "\" (" +
                                   std::to_string(of_update) + " callbacks already attached)");
    }
    return absl::OkStatus();
}

void attach_callbacks(Builder& builder, const CallbackOrigin& origin, const Callbacks& callbacks) {
    for (const api::common::v1::Callback& callback : callbacks) {
        const ItemId item = builder.next_item();
        builder.draft().callbacks.insert(item, make_row(item, origin, callback, builder.now()));
    }
}

void restore_callbacks(Run& run, const CallbackOrigin& origin, const Callbacks& callbacks,
                       Timestamp when) {
    for (const api::common::v1::Callback& callback : callbacks) {
        const ItemId item = run.header.next_item_sequence() + 1;
        run.header.set_next_item_sequence(item);
        run.callbacks.put(item, make_row(item, origin, callback, when));
    }
}

void forget_update_callbacks(Run& run, const std::string& update_id) {
    std::vector<ItemId> told;
    for (const auto& [id, row] : run.callbacks.rows()) {
        if (row.update_id() == update_id) told.push_back(id);
    }
    for (const ItemId id : told) run.callbacks.erase(id);
}

void drop_update_callbacks(Builder& builder, const std::string& update_id) {
    std::vector<ItemId> dropped;
    builder.draft().callbacks.for_each([&](ItemId id, const CallbackRow& row) {
        if (row.update_id() == update_id) dropped.push_back(id);
    });
    for (const ItemId id : dropped) builder.draft().callbacks.erase(id);
}

Callbacks standing_by(const Draft& draft) {
    Callbacks callbacks;
    draft.callbacks.for_each([&](ItemId, const CallbackRow& row) {
        if (row.state() != CallbackRow::STATE_STANDBY || !row.update_id().empty()) return;
        *callbacks.Add() = row.callback();
    });
    return callbacks;
}

void send_close_callbacks(Builder& builder) {
    const storage::HeaderRow& header = builder.header();
    if (header.was_reset() && !header.reset_run_id().empty()) return;
    const HistoryEvent& closing = builder.last_event();
    if (!goes_on(closing)) {
        send(builder, EventId(closing.event_id()),
             [](const CallbackRow& row) { return row.update_id().empty(); });
    }
    // An update does not go on in the next run: it has failed with this one.
    send(builder, kNoEvent, [&](const CallbackRow& row) {
        return !row.update_id().empty() && was_accepted(builder.draft(), row.update_id());
    });
}

void send_update_callbacks(Builder& builder, const std::string& update_id, EventId outcome) {
    send(builder, outcome, [&](const CallbackRow& row) { return row.update_id() == update_id; });
}

absl::StatusOr<Applied<None>> record_callback(const Run& run, ItemId item,
                                              const absl::Status& answer, const Context& context) {
    const CallbackRow* known = run.callbacks.find(item);
    if (known == nullptr || is_settled(*known)) {
        return unchanged(run);
    }
    Builder builder(run, context);
    settle(builder, builder.draft().callbacks.edit(item), answer);
    return Applied<None>{std::move(builder).finish(), {}};
}

void describe_callbacks(const Run& run, service::DescribeWorkflowExecutionResponse& response) {
    for (const auto& [id, row] : run.callbacks.rows()) {
        auto& described = *response.add_callbacks();
        *described.mutable_callback() = row.callback();
        if (row.update_id().empty()) {
            described.mutable_trigger()->mutable_workflow_closed();
        } else {
            described.mutable_trigger()
                ->mutable_update_workflow_execution_completed()
                ->set_update_id(row.update_id());
        }
        *described.mutable_registration_time() = row.registered();
        described.set_state(described_state(row));
        described.set_attempt(row.attempt());
        if (row.has_last_attempt_complete_time()) {
            *described.mutable_last_attempt_complete_time() = row.last_attempt_complete_time();
        }
        if (row.has_last_failure()) *described.mutable_last_attempt_failure() = row.last_failure();
        if (row.has_next_attempt_time()) {
            *described.mutable_next_attempt_schedule_time() = row.next_attempt_time();
        }
    }
}

}  // namespace stele::history
