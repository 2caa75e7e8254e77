#include "shard/outbox_rows.h"

#include "history/callbacks.h"

#include <utility>

namespace stele::shard {
namespace {

namespace enums = api::enums::v1;
using history::ExternalOutcome;
using storage::OutboxRow;

constexpr char kIdentity[] = "history-service";

api::common::v1::WorkflowExecution source_of(const OutboxRow& row) {
    api::common::v1::WorkflowExecution source;
    source.set_workflow_id(row.workflow_id());
    source.set_run_id(row.run_id());
    return source;
}

history::SignalInput signal_input(const OutboxRow& row, const storage::ExternalRow& pending) {
    history::SignalInput input;
    input.name = pending.signal_name();
    input.input = pending.input();
    input.header = pending.header();
    input.identity = kIdentity;
    input.request_id = pending.request_id();
    input.external_source = source_of(row);
    input.external_initiated_event_id = pending.initiated_event_id();
    return input;
}

history::CancelInput cancel_input(const OutboxRow& row, const storage::ExternalRow& pending) {
    history::CancelInput input;
    input.reason = pending.reason();
    input.identity = kIdentity;
    input.request_id = pending.request_id();
    input.external_source = source_of(row);
    input.external_initiated_event_id = pending.initiated_event_id();
    return input;
}

std::optional<Delivery> external_delivery(const OutboxRow& row, const history::Run& source) {
    const bool signal = row.kind() == OutboxRow::KIND_SIGNAL;
    const storage::ExternalRow* pending =
        signal ? source.external_signals.find(row.initiated_event_id())
               : source.external_cancels.find(row.initiated_event_id());
    if (pending == nullptr) return std::nullopt;
    Delivery delivery;
    delivery.target = {pending->namespace_id(), pending->workflow_id(), pending->run_id()};
    delivery.child_workflow_only = pending->child_workflow_only();
    if (signal) {
        delivery.what = signal_input(row, *pending);
    } else {
        delivery.what = cancel_input(row, *pending);
    }
    return delivery;
}

std::optional<Delivery> start_delivery(const OutboxRow& row, const history::Run& source) {
    const storage::ChildRow* child = source.children.find(row.initiated_event_id());
    if (child == nullptr || history::is_started(*child)) return std::nullopt;
    Delivery delivery;
    delivery.target = {child->namespace_id(), child->workflow_id(), {}};
    delivery.what = history::child_start(source, *child);
    return delivery;
}

Delivery self_contained_delivery(const OutboxRow& row) {
    Delivery delivery;
    delivery.target = {row.target_namespace_id(), row.target_workflow_id(), row.target_run_id()};
    if (row.kind() == OutboxRow::KIND_RELEASE_CHILD) {
        delivery.what = ReleaseChild{};
    } else if (row.kind() == OutboxRow::KIND_END_CHILD) {
        delivery.what = EndChild{row.parent_close_policy()};
    } else {
        delivery.what =
            history::ChildReport{EventId(row.target_initiated_event_id()), source_of(row),
                                 row.chain_run_id(), row.closing_event()};
    }
    return delivery;
}

/// What the answer to a signal or cancel request means for the source; nullopt: try again.
std::optional<ExternalOutcome> external_outcome(const absl::Status& answer, bool signal) {
    ExternalOutcome outcome;
    if (answer.ok()) return outcome;
    switch (answer.code()) {
        case absl::StatusCode::kNotFound:
            outcome.signal_failure = enums::
                SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
            outcome.cancel_failure = enums::
                CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_EXTERNAL_WORKFLOW_EXECUTION_NOT_FOUND;
            break;
        case absl::StatusCode::kFailedPrecondition:
            outcome.signal_failure =
                enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
            outcome.cancel_failure =
                enums::CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
            break;
        case absl::StatusCode::kInvalidArgument:
            if (!signal) return std::nullopt;
            outcome.signal_failure =
                enums::SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE_SIGNAL_COUNT_LIMIT_EXCEEDED;
            break;
        default: return std::nullopt;
    }
    if (signal) {
        outcome.cancel_failure.reset();
    } else {
        outcome.signal_failure.reset();
    }
    return outcome;
}

Conclusion external_conclusion(const OutboxRow& row, const absl::Status& answer) {
    const bool signal = row.kind() == OutboxRow::KIND_SIGNAL;
    const std::optional<ExternalOutcome> outcome = external_outcome(answer, signal);
    if (!outcome) return {};
    const EventId initiated(row.initiated_event_id());
    return {Conclusion::Kind::kRecord, false,
            [signal, initiated, outcome = *outcome](const history::Run& run,
                                                    const history::Context& context) {
                return signal ? history::finish_external_signal(run, initiated, outcome, context)
                              : history::finish_external_cancel(run, initiated, outcome, context);
            }};
}

Conclusion start_conclusion(const OutboxRow& row, const absl::Status& answer) {
    const EventId initiated(row.initiated_event_id());
    if (answer.ok()) {
        return {Conclusion::Kind::kRecord, true,
                [initiated](const history::Run& run, const history::Context& context) {
                    return history::record_child_started(run, initiated, context);
                }};
    }
    enums::StartChildWorkflowExecutionFailedCause cause{};
    if (answer.code() == absl::StatusCode::kAlreadyExists) {
        cause = enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS;
    } else if (answer.code() == absl::StatusCode::kFailedPrecondition) {
        cause = enums::START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_NAMESPACE_NOT_FOUND;
    } else {
        return {};
    }
    return {Conclusion::Kind::kRecord, false,
            [initiated, cause](const history::Run& run, const history::Context& context) {
                return history::record_child_not_started(run, initiated, cause, context);
            }};
}

/// A callback that is to be tried again has another row in the place of this one.
Conclusion callback_conclusion(const OutboxRow& row, const absl::Status& answer) {
    const bool for_good = answer.ok() || answer.code() == absl::StatusCode::kFailedPrecondition;
    return {
        Conclusion::Kind::kRecord, !for_good,
        [item = row.callback(), answer](const history::Run& run, const history::Context& context) {
            return history::record_callback(run, item, answer, context);
        }};
}

/// The handler has answered, or nobody could be asked just now.
Conclusion nexus_conclusion(const OutboxRow& row, const Answer& answer) {
    if (!answer.ok()) return {};
    const bool start = row.kind() == OutboxRow::KIND_START_NEXUS;
    const EventId scheduled(start ? row.initiated_event_id() : row.nexus_scheduled_event_id());
    return {Conclusion::Kind::kRecord, false,
            [start, scheduled, outcome = *answer](const history::Run& run,
                                                  const history::Context& context) {
                return start ? history::record_nexus_start(run, scheduled, outcome, context)
                             : history::record_nexus_cancellation(run, scheduled, outcome, context);
            }};
}

/// Commands to workers are worth a few attempts: an activity ends without them as well.
Conclusion command_conclusion(const Answer& answer, int failures) {
    constexpr int kAttempts = 3;
    const bool taken = answer.ok() && answer->kind != history::NexusOutcome::Kind::kRetry;
    return {taken || failures + 1 >= kAttempts ? Conclusion::Kind::kDone
                                               : Conclusion::Kind::kRetry};
}

}  // namespace

bool is_self_contained(const OutboxRow& row) {
    return row.kind() == OutboxRow::KIND_RELEASE_CHILD || row.kind() == OutboxRow::KIND_END_CHILD ||
           row.kind() == OutboxRow::KIND_CANCEL_ACTIVITIES ||
           row.kind() == OutboxRow::KIND_REPORT_TO_PARENT;
}

std::optional<Delivery> delivery_of(const OutboxRow& row, const LoadedRun* source) {
    std::optional<Delivery> delivery;
    if (is_self_contained(row)) {
        delivery = self_contained_delivery(row);
    } else if (source == nullptr) {
        return std::nullopt;
    } else if (row.kind() == OutboxRow::KIND_START_CHILD) {
        delivery = start_delivery(row, *source->run);
    } else {
        delivery = external_delivery(row, *source->run);
    }
    if (delivery) delivery->source = {row.namespace_id(), row.workflow_id(), row.run_id()};
    return delivery;
}

Timestamp due_time(const OutboxRow& row, const LoadedRun* source) {
    const bool callback = row.kind() == OutboxRow::KIND_CALLBACK && source != nullptr;
    const storage::CallbackRow* waiting =
        callback ? source->run->callbacks.find(row.callback()) : nullptr;
    if (waiting == nullptr || !waiting->has_next_attempt_time()) return Timestamp();
    return from_proto(waiting->next_attempt_time());
}

Conclusion conclusion_of(const OutboxRow& row, const Answer& said, int failures) {
    switch (row.kind()) {
        case OutboxRow::KIND_START_NEXUS:
        case OutboxRow::KIND_CANCEL_NEXUS: return nexus_conclusion(row, said);
        case OutboxRow::KIND_CALLBACK: return callback_conclusion(row, said.status());
        case OutboxRow::KIND_CANCEL_ACTIVITIES: return command_conclusion(said, failures);
        default: break;
    }
    const absl::Status& answer = said.status();
    if (row.kind() == OutboxRow::KIND_START_CHILD) return start_conclusion(row, answer);
    if (!is_self_contained(row)) return external_conclusion(row, answer);
    // Whoever is no longer there has nothing to be told.
    const bool gone = answer.code() == absl::StatusCode::kNotFound ||
                      answer.code() == absl::StatusCode::kFailedPrecondition;
    return {answer.ok() || gone ? Conclusion::Kind::kDone : Conclusion::Kind::kRetry};
}

}  // namespace stele::shard
