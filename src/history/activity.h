#pragma once

#include "history/activity_control.h"
#include "history/failures.h"
#include "history/families.h"
#include "history/retry_policy.h"

// What the files of the activity family share. An activity is pending from its scheduling to its
// outcome. As every activity may be retried, its start leaves no event: the Started event of the
// last attempt is written together with the outcome, and retries live in the row alone.
//
//   activity_command.cc    scheduled and cancelled by commands, eager starts
//   activity_start.cc      an attempt is handed to a worker
//   activity_outcome.cc    completed, failed, cancelled by a worker; heartbeats
//   activity_retry.cc      another attempt, or the reason why there is none
//   activity_deadlines.cc  the four timeouts, and retries that are due
//   activity_control.cc    paused, unpaused and reset by operators
//   activity_rules.cc      paused by rules of the namespace
//   activity_options.cc    timeouts, queue and policy changed while it is pending
//   activity_worker_commands.cc  workers are told to give up what they hold
//   activity_describe.cc   as operators see it
//
// Not thread safe: all work on a builder.
namespace stele::history {

/// Whether a worker holds the current attempt.
inline bool is_started(const storage::ActivityRow& row) { return row.has_started_time(); }

/// Records in the row that a worker holds the current attempt, and takes it out of its queue.
void start_attempt(Builder& builder, storage::ActivityRow& row, const std::string& request_id,
                   const std::string& identity, const std::string& control_task_queue);

/// Puts the attempt into its queue, with the priority that it inherits from the workflow.
void enqueue_attempt(Builder& builder, storage::ActivityRow& row);

/// The activity's own priority, completed by that of the workflow.
api::common::v1::Priority effective_priority(const storage::InfoRow& info,
                                             const storage::ActivityRow& row);

/// Writes the Started event of the attempt, if a worker holds it. The outcome, which must follow,
/// names the returned id; kNoEvent when not started, or when buffered (flushing wires the two).
EventId write_started_event(Builder& builder, const storage::ActivityRow& row);

/// Forgets the activity after its outcome was written.
void forget_activity(Builder& builder, ItemId scheduled);

/// Prepares the next attempt and says IN_PROGRESS, or says why there is none and changes nothing.
RetryState retry_attempt(Builder& builder, storage::ActivityRow& row, const Failure& failure);

/// The attempt that no worker holds begins at `time`, or at once when that has passed: whatever was put
/// into a queue for it is stale, and what the last attempt left behind is forgotten. Only notes the time
/// while the activity is paused.
void reschedule_attempt(Builder& builder, storage::ActivityRow& row, Timestamp time);

/// When the policy wants the next attempt, counted from the end of the last one.
Timestamp next_schedule_time(const storage::ActivityRow& row);

void forget_heartbeats(storage::ActivityRow& row);

/// Nothing more of this activity begins until it is unpaused.
void pause_activity(Builder& builder, storage::ActivityRow& row, storage::ActivityPause pause);

/// Pauses the activity if a rule of the namespace wants that, and says so.
bool pause_by_rule(Builder& builder, storage::ActivityRow& row);

/// The options that the activity was scheduled with, but for its priority.
void restore_timing_options(storage::ActivityRow& row);

/// The pending activities that are meant: at least one, ascending. NOT_FOUND otherwise.
absl::StatusOr<std::vector<ItemId>> select_activities(const Run& run,
                                                      const ActivitySelector& selector);

/// When the activity with all its attempts must be over; kNever without such a limit.
Timestamp activity_expiration(const storage::ActivityRow& row);

/// No attempt begins after this. Settled when the activity is scheduled, whatever becomes of its options.
Timestamp retry_expiration(const storage::ActivityRow& row);

}  // namespace stele::history
