#pragma once

#include "history/families.h"

// The life of a workflow task inside the core: scheduled, started, then completed, failed or timed
// out. Attempt 1 writes its events as it goes. Later attempts are transient: until one of them is
// completed they leave no events, so that a failing worker does not grow the history. Not thread safe.
namespace stele::history {

/// Schedules a task; none may be pending. Buffered events are flushed first, and make a transient
/// task a normal one. `original` is when the first of a chain of heartbeats was scheduled. With
/// `hand_over` the task is put into no queue because the caller starts it at once.
void schedule_workflow_task(Builder& builder, Timestamp original, bool hand_over);

/// Starts the scheduled task for a worker. Writes the event unless the task is transient, and turns
/// a transient task into a normal one when other events have been written since.
StartedWorkflowTask start_scheduled_task(Builder& builder, const std::string& request_id,
                                         const std::string& identity,
                                         const api::common::v1::WorkerVersionStamp* version);

/// What the worker of the started task is told.
StartedWorkflowTask describe_started_task(const Builder& builder);

/// The two events of a transient task as they will be written if it is completed.
HistoryEvent scheduled_event(const storage::WorkflowTask& task, const storage::InfoRow& info);
HistoryEvent started_event(const storage::WorkflowTask& task);

/// Ends the started task as timed out. Schedules nothing.
void time_out_started_task(Builder& builder);
/// Ends the scheduled task: its sticky worker has not taken it in time. Schedules nothing.
void time_out_sticky_task(Builder& builder);
void forget_sticky_queue(storage::HeaderRow& header);

/// When the started task, or the sticky scheduled one, times out; kNever when neither is there.
Timestamp workflow_task_deadline(const storage::HeaderRow& header);

}  // namespace stele::history
