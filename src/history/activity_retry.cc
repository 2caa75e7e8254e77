#include "history/activity.h"

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

/// These two end the activity as a whole, not just an attempt.
bool ends_the_activity(const Failure& failure) {
    if (!failure.has_timeout_failure_info()) return false;
    const TimeoutType type = failure.timeout_failure_info().timeout_type();
    return type == enums::TIMEOUT_TYPE_SCHEDULE_TO_START ||
           type == enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE;
}

void clear_start(storage::ActivityRow& row) {
    row.clear_started_time();
    row.clear_request_id();
    row.clear_worker_version();
}

void schedule_next_attempt(Builder& builder, storage::ActivityRow& row, const Failure& failure,
                           Duration backoff) {
    builder.withdraw_activity_dispatch(row);
    const Timestamp next = add_saturating(builder.now(), backoff);
    row.set_last_worker_identity(row.started_identity());
    row.clear_last_failure();
    // A worker need not say what went wrong.
    if (failure.ByteSizeLong() > 0) {
        *row.mutable_last_failure() =
            storable_failure(failure, builder.context().limits->failure_bytes);
    }
    *row.mutable_last_attempt_complete_time() = to_proto(builder.now());
    *row.mutable_current_retry_interval() = to_proto(backoff);
    *row.mutable_scheduled_time() = to_proto(next);
    *row.mutable_next_attempt_time() = to_proto(next);
    row.set_attempt(row.attempt() + 1);
    // Whatever was put into a queue or handed to a worker for an earlier attempt is stale now.
    row.set_stamp(row.stamp() + 1);
    clear_start(row);
}

}  // namespace

Timestamp activity_expiration(const storage::ActivityRow& row) {
    const Duration limit = from_proto(row.schedule_to_close());
    if (limit == Duration::zero()) return kNever;
    return add_saturating(from_proto(row.first_scheduled_time()), limit);
}

RetryState retry_attempt(Builder& builder, storage::ActivityRow& row, const Failure& failure) {
    if (row.cancel_requested()) return enums::RETRY_STATE_CANCEL_REQUESTED;
    if (ends_the_activity(failure)) return enums::RETRY_STATE_TIMEOUT;
    const RetryDecision decision = decide_retry({.policy = row.retry_policy(),
                                                 .failure = failure,
                                                 .attempt = row.attempt(),
                                                 .now = builder.now(),
                                                 .expiration = activity_expiration(row)});
    if (decision.state == enums::RETRY_STATE_IN_PROGRESS) {
        schedule_next_attempt(builder, row, failure, decision.backoff);
    }
    return decision.state;
}

}  // namespace stele::history
