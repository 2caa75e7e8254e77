#pragma once

#include "history/families.h"

// The life of a workflow task inside the core: scheduled, started, then completed, failed or timed
// out. Attempt 1 writes its events as it goes. Later attempts are transient: until one of them is
// completed they leave no events, so that a failing worker does not grow the history. A task that
// only carries updates is speculative and in memory: it is written when it is completed with more
// than rejections, or when anything else has to be written. Not thread safe.
namespace stele::history {

/// Schedules a task; none may be pending. Buffered events are flushed first, and make a transient
/// task a normal one. `original` is when the first of a chain of heartbeats was scheduled. With
/// `hand_over` the task is put into no queue because the caller starts it at once.
void schedule_workflow_task(Builder& builder, Timestamp original, bool hand_over);

/// Who takes a task, and how.
struct TaskTaker {
    std::string request_id;
    std::string identity;
    const api::common::v1::WorkerVersionStamp* version = nullptr;
    /// Updates that were sent with an earlier task, and not answered, are sent again.
    bool resend_updates = true;
};

/// Starts the scheduled task for a worker. Writes the event unless the task is transient, and turns
/// a transient task into a normal one when other events have been written since. The start of a
/// speculative task stays in memory.
StartedWorkflowTask start_scheduled_task(Builder& builder, const TaskTaker& taker);

/// What the worker of the started task is told. The updates in it are sent from now on.
StartedWorkflowTask describe_started_task(Builder& builder, bool resend_updates);

/// Schedules a task that stays in memory, and carries updates that wait; none may be pending.
void schedule_speculative_task(Builder& builder, bool hand_over);
/// Gives the scheduled task a schedule-to-start timeout if it is speculative and has none.
void limit_speculative_wait(Builder& builder);
/// Forgets the pending task if it is speculative.
void drop_speculative_task(Builder& builder);
/// Whether the events of the pending task are written only when it is completed.
inline bool is_unwritten(const storage::WorkflowTask& task) {
    return task.kind() == storage::TASK_KIND_TRANSIENT ||
           task.kind() == storage::TASK_KIND_SPECULATIVE;
}

/// The two events of an unwritten task as they will be written if it is completed.
HistoryEvent scheduled_event(const storage::WorkflowTask& task, const storage::InfoRow& info);
HistoryEvent started_event(const storage::WorkflowTask& task);

/// Ends the started task as timed out. Schedules nothing.
void time_out_started_task(Builder& builder);
/// Ends the scheduled task: no worker has taken it in time (of a sticky queue, or of a speculative
/// task). Schedules nothing.
void time_out_scheduled_task(Builder& builder);
void forget_sticky_queue(storage::HeaderRow& header);

/// When the started task, or the scheduled one that may not wait for ever, times out; kNever when
/// neither is there.
Timestamp workflow_task_deadline(const storage::HeaderRow& header);

}  // namespace stele::history
