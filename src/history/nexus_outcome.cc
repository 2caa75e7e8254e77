#include "history/nexus_family.h"
#include "history/retry_policy.h"
#include "history/unchanged.h"

#include <algorithm>
#include <utility>

// What calls of handlers have come to, as events and as calls that are made again.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using Kind = NexusOutcome::Kind;

/// Doubles with each call, up to a longest wait, and is up to a fifth shorter by chance, so that
/// calls that failed together do not come back together.
Duration backoff(const Context& context, std::int32_t attempt) {
    constexpr double kLeastShare = 0.8;
    const Limits& limits = *context.limits;
    RetryPolicy policy;
    *policy.mutable_initial_interval() = to_proto(limits.nexus_first_retry);
    policy.set_backoff_coefficient(2.0);
    *policy.mutable_maximum_interval() = to_proto(limits.nexus_longest_retry);
    const Duration whole = std::min(retry_interval(policy, attempt), limits.nexus_longest_retry);
    const double share = kLeastShare + (1 - kLeastShare) * context.uniform();
    return Duration(static_cast<std::int64_t>(static_cast<double>(whole.count()) * share));
}

/// `Call` is the part of a row that tells of calls of one kind.
template <typename Call>
void call_again(Builder& builder, Call& call, const NexusOutcome& outcome) {
    const Context& context = builder.context();
    *call.mutable_next_attempt_time() =
        to_proto(add_saturating(builder.now(), backoff(context, call.attempt())));
    *call.mutable_last_attempt_time() = to_proto(builder.now());
    *call.mutable_last_failure() = storable_failure(outcome.failure, context.limits->failure_bytes);
    call.set_attempt(call.attempt() + 1);
}

template <typename Attributes>
void name_operation(Attributes& attributes, const storage::NexusOperationRow& row) {
    attributes.set_scheduled_event_id(row.scheduled_event_id());
    attributes.set_request_id(row.request_id());
}

HistoryEvent outcome_event(const storage::NexusOperationRow& row, const NexusOutcome& outcome) {
    HistoryEvent event;
    const auto fill = [&](auto& attributes) {
        name_operation(attributes, row);
        *attributes.mutable_failure() = nexus_operation_failure(row, outcome.failure);
    };
    switch (outcome.kind) {
        case Kind::kSucceeded: {
            event.set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED);
            auto& attributes = *event.mutable_nexus_operation_completed_event_attributes();
            name_operation(attributes, row);
            *attributes.mutable_result() = outcome.result;
            break;
        }
        case Kind::kCanceled:
            event.set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED);
            fill(*event.mutable_nexus_operation_canceled_event_attributes());
            break;
        case Kind::kTimedOut:
            event.set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT);
            fill(*event.mutable_nexus_operation_timed_out_event_attributes());
            break;
        default:
            event.set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED);
            fill(*event.mutable_nexus_operation_failed_event_attributes());
            break;
    }
    event.mutable_links()->Assign(outcome.links.begin(), outcome.links.end());
    return event;
}

void record_started(Builder& builder, ItemId scheduled, const NexusOutcome& outcome) {
    storage::NexusOperationRow& row = builder.draft().nexus_operations.edit(scheduled);
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_STARTED);
    auto& attributes = *event.mutable_nexus_operation_started_event_attributes();
    name_operation(attributes, row);
    attributes.set_operation_token(outcome.operation_token);
    attributes.set_operation_id(outcome.operation_token);  // clients of old read this one
    event.mutable_links()->Assign(outcome.links.begin(), outcome.links.end());
    builder.add_or_buffer_event(std::move(event));
    row.set_operation_token(outcome.operation_token);
    *row.mutable_started_time() = to_proto(builder.now());
    *row.mutable_last_attempt_time() = row.started_time();
    row.clear_last_failure();
    row.clear_input();
    if (row.has_cancellation()) send_nexus_cancellation(builder, row);
}

HistoryEvent cancellation_event(const storage::NexusOperationRow& row,
                                const NexusOutcome& outcome) {
    HistoryEvent event;
    event.set_worker_may_ignore(true);  // older SDKs do not know these
    const auto name = [&](auto& attributes) {
        attributes.set_scheduled_event_id(row.scheduled_event_id());
        attributes.set_requested_event_id(row.cancellation().requested_event_id());
    };
    if (outcome.kind == Kind::kSucceeded) {
        event.set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED);
        name(*event.mutable_nexus_operation_cancel_request_completed_event_attributes());
        return event;
    }
    event.set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED);
    auto& attributes = *event.mutable_nexus_operation_cancel_request_failed_event_attributes();
    name(attributes);
    *attributes.mutable_failure() = nexus_operation_failure(row, outcome.failure);
    return event;
}

}  // namespace

api::failure::v1::Failure nexus_operation_failure(const storage::NexusOperationRow& row,
                                                  api::failure::v1::Failure cause) {
    api::failure::v1::Failure failure;
    failure.set_message("nexus operation completed unsuccessfully");
    auto& info = *failure.mutable_nexus_operation_execution_failure_info();
    info.set_endpoint(row.endpoint());
    info.set_service(row.service());
    info.set_operation(row.operation());
    info.set_operation_token(row.operation_token());
    info.set_operation_id(row.operation_token());
    info.set_scheduled_event_id(row.scheduled_event_id());
    *failure.mutable_cause() = std::move(cause);
    return failure;
}

void end_nexus_operation(Builder& builder, ItemId scheduled, const NexusOutcome& outcome) {
    const storage::NexusOperationRow& row = *builder.draft().nexus_operations.find(scheduled);
    HistoryEvent event = outcome_event(row, outcome);
    builder.draft().nexus_operations.erase(scheduled);
    builder.add_or_buffer_event(std::move(event));
}

absl::StatusOr<Applied<None>> record_nexus_start(const Run& run, EventId scheduled,
                                                 const NexusOutcome& outcome,
                                                 const Context& context) {
    const ItemId id = scheduled.value();
    const storage::NexusOperationRow* row = run.nexus_operations.find(id);
    // The handler may answer twice, or after the run has stopped waiting.
    if (!run.is_open() || row == nullptr || is_started(*row)) return unchanged(run);
    Builder builder(run, context);
    if (outcome.kind == Kind::kRetry) {
        call_again(builder, builder.draft().nexus_operations.edit(id), outcome);
        return Applied<None>{std::move(builder).finish(), {}};
    }
    if (outcome.kind == Kind::kStarted) {
        record_started(builder, id, outcome);
    } else {
        end_nexus_operation(builder, id, outcome);
    }
    builder.schedule_workflow_task_if_needed();
    return Applied<None>{std::move(builder).finish(), {}};
}

absl::StatusOr<Applied<None>> record_nexus_cancellation(const Run& run, EventId scheduled,
                                                        const NexusOutcome& outcome,
                                                        const Context& context) {
    const ItemId id = scheduled.value();
    const storage::NexusOperationRow* row = run.nexus_operations.find(id);
    const bool waits =
        run.is_open() && row != nullptr && row->has_cancellation() && !row->cancellation().over();
    if (!waits) return unchanged(run);
    Builder builder(run, context);
    storage::NexusOperationRow& changed = builder.draft().nexus_operations.edit(id);
    auto& cancellation = *changed.mutable_cancellation();
    if (outcome.kind == Kind::kRetry) {
        call_again(builder, cancellation, outcome);
        return Applied<None>{std::move(builder).finish(), {}};
    }
    cancellation.set_over(true);
    *cancellation.mutable_last_attempt_time() = to_proto(builder.now());
    cancellation.clear_last_failure();
    if (outcome.kind != Kind::kSucceeded) {
        *cancellation.mutable_last_failure() =
            storable_failure(outcome.failure, context.limits->failure_bytes);
    }
    if (context.limits->nexus_cancel_answers) {
        builder.add_or_buffer_event(cancellation_event(changed, outcome));
        builder.schedule_workflow_task_if_needed();
    }
    return Applied<None>{std::move(builder).finish(), {}};
}

// ---- Describing ----------------------------------------------------------------------------------

namespace {

enums::NexusOperationCancellationState cancellation_state(const storage::NexusOperationRow& row) {
    const storage::NexusCancellation& cancellation = row.cancellation();
    if (cancellation.over()) {
        return cancellation.has_last_failure()
                   ? enums::NEXUS_OPERATION_CANCELLATION_STATE_FAILED
                   : enums::NEXUS_OPERATION_CANCELLATION_STATE_SUCCEEDED;
    }
    if (cancellation.has_next_attempt_time()) {
        return enums::NEXUS_OPERATION_CANCELLATION_STATE_BACKING_OFF;
    }
    return is_started(row) ? enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED
                           : enums::NEXUS_OPERATION_CANCELLATION_STATE_UNSPECIFIED;
}

/// The attempts of a call as operators see them: those that were answered.
template <typename From, typename To>
void describe_attempts(const From& from, bool over, To& to) {
    to.set_attempt(over ? from.attempt() : from.attempt() - 1);
    if (from.has_last_attempt_time()) {
        *to.mutable_last_attempt_complete_time() = from.last_attempt_time();
    }
    if (from.has_last_failure()) *to.mutable_last_attempt_failure() = from.last_failure();
    if (from.has_next_attempt_time()) {
        *to.mutable_next_attempt_schedule_time() = from.next_attempt_time();
    }
}

bool is_set(const google::protobuf::Duration& timeout) {
    return from_proto(timeout) != Duration::zero();
}

}  // namespace

void describe_nexus_operations(const Run& run,
                               service::DescribeWorkflowExecutionResponse& response) {
    for (const auto& [id, row] : run.nexus_operations.rows()) {
        auto& pending = *response.add_pending_nexus_operations();
        pending.set_endpoint(row.endpoint());
        pending.set_service(row.service());
        pending.set_operation(row.operation());
        pending.set_operation_token(row.operation_token());
        pending.set_operation_id(row.operation_token());
        pending.set_scheduled_event_id(row.scheduled_event_id());
        *pending.mutable_scheduled_time() = row.scheduled_time();
        if (is_set(row.schedule_to_close()))
            *pending.mutable_schedule_to_close_timeout() = row.schedule_to_close();
        if (is_set(row.schedule_to_start()))
            *pending.mutable_schedule_to_start_timeout() = row.schedule_to_start();
        if (is_set(row.start_to_close()))
            *pending.mutable_start_to_close_timeout() = row.start_to_close();
        pending.set_state(is_started(row) ? enums::PENDING_NEXUS_OPERATION_STATE_STARTED
                          : row.has_next_attempt_time()
                              ? enums::PENDING_NEXUS_OPERATION_STATE_BACKING_OFF
                              : enums::PENDING_NEXUS_OPERATION_STATE_SCHEDULED);
        describe_attempts(row, is_started(row), pending);
        if (!row.has_cancellation()) continue;
        auto& cancellation = *pending.mutable_cancellation_info();
        *cancellation.mutable_requested_time() = row.cancellation().requested_time();
        cancellation.set_state(cancellation_state(row));
        describe_attempts(row.cancellation(), row.cancellation().over(), cancellation);
    }
}

}  // namespace stele::history
