#include "base/probe.h"
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

/// The attempt is over. Whatever was put into a queue or handed to a worker for it is stale.
void end_attempt(Builder& builder, storage::ActivityRow& row) {
    builder.withdraw_activity_dispatch(row);
    row.set_stamp(row.stamp() + 1);
    row.clear_started_time();
    row.clear_request_id();
    row.clear_worker_version();
    row.clear_worker_control_task_queue();
}

/// What a reset has left for the attempt that comes next.
void begin_afresh(storage::ActivityRow& row) {
    if (row.reset_heartbeats()) forget_heartbeats(row);
    row.clear_reset();
    row.clear_reset_heartbeats();
}

void remember_failure(const Builder& builder, storage::ActivityRow& row, const Failure& failure) {
    row.clear_last_failure();
    // A worker need not say what went wrong.
    if (failure.ByteSizeLong() == 0) return;
    *row.mutable_last_failure() =
        storable_failure(failure, builder.context().limits->failure_bytes);
}

void schedule_next_attempt(Builder& builder, storage::ActivityRow& row, const Failure& failure,
                           Duration backoff) {
    const Timestamp next =
        add_saturating(builder.now(), STELE_BUG("retry.no-backoff") ? Duration::zero() : backoff);
    end_attempt(builder, row);
    begin_afresh(row);
    remember_failure(builder, row, failure);
    row.set_last_worker_identity(row.started_identity());
    *row.mutable_last_attempt_complete_time() = to_proto(builder.now());
    *row.mutable_current_retry_interval() = to_proto(backoff);
    *row.mutable_scheduled_time() = to_proto(next);
    *row.mutable_next_attempt_time() = to_proto(next);
    row.set_attempt(row.attempt() + 1);
}

/// The attempt that was under way when the activity was paused has failed. The next one waits for the
/// activity to be unpaused, however many there may be.
void hold_next_attempt(Builder& builder, storage::ActivityRow& row, const Failure& failure) {
    end_attempt(builder, row);
    remember_failure(builder, row, failure);
    *row.mutable_last_attempt_complete_time() = to_proto(builder.now());
    row.set_attempt(row.attempt() + 1);
}

Timestamp after_first_scheduling(const storage::ActivityRow& row,
                                 const google::protobuf::Duration& limit) {
    const Duration duration = from_proto(limit);
    if (duration == Duration::zero()) return kNever;
    return add_saturating(from_proto(row.first_scheduled_time()), duration);
}

}  // namespace

Timestamp activity_expiration(const storage::ActivityRow& row) {
    return after_first_scheduling(row, row.schedule_to_close());
}

Timestamp retry_expiration(const storage::ActivityRow& row) {
    return after_first_scheduling(row, row.has_original_options()
                                           ? row.original_options().schedule_to_close_timeout()
                                           : row.schedule_to_close());
}

void forget_heartbeats(storage::ActivityRow& row) {
    row.clear_last_heartbeat_details();
    row.clear_last_heartbeat_time();
}

Timestamp next_schedule_time(const storage::ActivityRow& row) {
    const Timestamp scheduled = from_proto(row.scheduled_time());
    if (row.attempt() <= 1 || !row.has_last_attempt_complete_time()) return scheduled;
    const Duration interval = retry_interval(row.retry_policy(), row.attempt());
    if (interval <= Duration::zero()) return scheduled;
    return add_saturating(from_proto(row.last_attempt_complete_time()), interval);
}

void reschedule_attempt(Builder& builder, storage::ActivityRow& row, Timestamp time) {
    end_attempt(builder, row);
    begin_afresh(row);
    row.clear_last_failure();
    row.set_last_worker_identity(row.started_identity());
    *row.mutable_scheduled_time() = to_proto(time);
    row.clear_next_attempt_time();
    if (row.has_pause()) return;
    if (time <= builder.now()) {
        enqueue_attempt(builder, row);
        return;
    }
    *row.mutable_next_attempt_time() = to_proto(time);
    if (row.has_last_attempt_complete_time()) {
        *row.mutable_current_retry_interval() =
            to_proto(time - from_proto(row.last_attempt_complete_time()));
    }
}

RetryState retry_attempt(Builder& builder, storage::ActivityRow& row, const Failure& failure) {
    STELE_PROBE_IF("history.cancelled-activity-fails", row.cancel_requested());
    if (row.cancel_requested()) return enums::RETRY_STATE_CANCEL_REQUESTED;
    if (ends_the_activity(failure)) return enums::RETRY_STATE_TIMEOUT;
    const bool may_go_on = is_retryable(failure, row.retry_policy());
    if (may_go_on) pause_by_rule(builder, row);
    if (may_go_on && row.has_pause()) {
        STELE_PROBE("history.paused-attempt-failed");
        hold_next_attempt(builder, row, failure);
        return enums::RETRY_STATE_IN_PROGRESS;
    }
    const RetryDecision decision = decide_retry({.policy = row.retry_policy(),
                                                 .failure = failure,
                                                 .attempt = row.attempt(),
                                                 .now = builder.now(),
                                                 .expiration = retry_expiration(row)});
    if (decision.state == enums::RETRY_STATE_IN_PROGRESS) {
        schedule_next_attempt(builder, row, failure, decision.backoff);
    }
    return decision.state;
}

}  // namespace stele::history
