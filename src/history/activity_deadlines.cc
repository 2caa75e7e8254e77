#include "base/probe.h"
#include "history/activity.h"

#include <array>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

/// What an activity waits for. Of several that are due at the same moment the first one counts.
struct ActivityDeadline {
    Timestamp time = kNever;
    TimeoutType timeout = enums::TIMEOUT_TYPE_UNSPECIFIED;  // unspecified: the next attempt
};

Timestamp after(Timestamp begin, const google::protobuf::Duration& limit) {
    const Duration duration = from_proto(limit);
    return duration == Duration::zero() ? kNever : add_saturating(begin, duration);
}

Timestamp start_to_close_deadline(const storage::ActivityRow& row) {
    if (!is_started(row)) return kNever;
    return after(from_proto(row.started_time()) - (STELE_BUG("activity.times-out-early")
                                                       ? Duration(std::chrono::seconds(2))
                                                       : Duration::zero()),
                 row.start_to_close());
}

/// Counts from the scheduling of the current attempt, which lies ahead while a retry waits.
Timestamp schedule_to_start_deadline(const storage::ActivityRow& row) {
    if (is_started(row)) return kNever;
    return after(from_proto(row.scheduled_time()), row.schedule_to_start());
}

Timestamp heartbeat_deadline(const storage::ActivityRow& row) {
    if (!is_started(row)) return kNever;
    Timestamp last = from_proto(row.started_time());
    if (row.has_last_heartbeat_time()) {
        last = std::max(last, from_proto(row.last_heartbeat_time()));
    }
    return after(last, row.heartbeat());
}

Timestamp next_attempt(const storage::ActivityRow& row) {
    return row.has_next_attempt_time() ? from_proto(row.next_attempt_time()) : kNever;
}

ActivityDeadline earliest_of(const storage::ActivityRow& row) {
    if (row.has_pause()) return {};  // time stands still
    const std::array<ActivityDeadline, 5> all = {{
        {schedule_to_start_deadline(row), enums::TIMEOUT_TYPE_SCHEDULE_TO_START},
        // In front of that of an attempt, which may have begun at the very moment of its scheduling.
        {activity_expiration(row), enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE},
        {start_to_close_deadline(row), enums::TIMEOUT_TYPE_START_TO_CLOSE},
        {heartbeat_deadline(row), enums::TIMEOUT_TYPE_HEARTBEAT},
        {next_attempt(row), enums::TIMEOUT_TYPE_UNSPECIFIED},
    }};
    return *std::min_element(
        all.begin(), all.end(),
        [](const ActivityDeadline& a, const ActivityDeadline& b) { return a.time < b.time; });
}

/// When no time is left for another attempt the activity as a whole is out of time, whatever the
/// timeout that found it.
Failure final_failure(TimeoutType timeout, RetryState state) {
    const bool out_of_time =
        state == enums::RETRY_STATE_TIMEOUT && timeout != enums::TIMEOUT_TYPE_SCHEDULE_TO_START;
    return out_of_time ? out_of_time_failure() : activity_timeout_failure(timeout);
}

void write_timed_out(Builder& builder, const storage::ActivityRow& row, Failure failure,
                     RetryState state) {
    if (row.has_last_heartbeat_details()) {
        *failure.mutable_timeout_failure_info()->mutable_last_heartbeat_details() =
            row.last_heartbeat_details();
    }
    if (row.has_last_failure()) *failure.mutable_cause() = row.last_failure();
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT);
    auto& attributes = *event.mutable_activity_task_timed_out_event_attributes();
    attributes.set_scheduled_event_id(row.scheduled_event_id());
    attributes.set_started_event_id(write_started_event(builder, row).value());
    *attributes.mutable_failure() = std::move(failure);
    attributes.set_retry_state(state);
    builder.add_or_buffer_event(std::move(event));
}

/// Ends the attempt, and the activity with it unless there is to be another attempt.
void time_out_attempt(Builder& builder, ItemId scheduled, TimeoutType timeout) {
    storage::ActivityRow& row = builder.draft().activities.edit(scheduled);
    const RetryState state = retry_attempt(builder, row, activity_timeout_failure(timeout));
    if (state == enums::RETRY_STATE_IN_PROGRESS) return;
    STELE_PROBE("history.activity-timed-out");
    write_timed_out(builder, row, final_failure(timeout, state), state);
    forget_activity(builder, scheduled);
    builder.schedule_workflow_task_if_needed();
}

void begin_next_attempt(Builder& builder, ItemId scheduled) {
    storage::ActivityRow& row = builder.draft().activities.edit(scheduled);
    if (pause_by_rule(builder, row)) return;
    row.clear_next_attempt_time();
    enqueue_attempt(builder, row);
}

}  // namespace

Timestamp row_deadline(const storage::ActivityRow& row) { return earliest_of(row).time; }

void fire_activity_deadline(Builder& builder, ItemId scheduled) {
    while (const storage::ActivityRow* row = builder.draft().activities.find(scheduled)) {
        const ActivityDeadline due = earliest_of(*row);
        if (due.time > builder.now()) return;
        if (due.timeout == enums::TIMEOUT_TYPE_UNSPECIFIED) {
            begin_next_attempt(builder, scheduled);
        } else {
            time_out_attempt(builder, scheduled, due.timeout);
        }
    }
}

}  // namespace stele::history
