#pragma once

#include "history/builder.h"
#include "history/commands.h"
#include "history/failures.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

// What the event families of the core offer each other. Each family is one file that validates
// against the draft and then adds events and changes rows through a builder; these are the places
// where one of them needs another. Nothing outside history includes this header. Not thread safe.
namespace stele::history {

using temporal::api::command::v1::Command;
using temporal::api::enums::v1::CommandType;
using temporal::api::enums::v1::RetryState;
using temporal::api::enums::v1::WorkflowTaskFailedCause;

// ---- Commands of a workflow task (command.cc and one file per family) ----------------------

/// Why a command can not be obeyed. The whole completion is dropped; the workflow task fails with
/// this cause instead, or the run is terminated.
struct Refusal {
    WorkflowTaskFailedCause cause;
    std::string message;
    bool terminate = false;  // the run could never get over it: terminate it
};
/// Empty: obeyed.
using CommandResult = std::optional<Refusal>;

/// What the commands of one completion share.
struct Completion {
    Builder& builder;
    const service::RespondWorkflowTaskCompletedRequest& request;
    EventId completed;  // the WorkflowTaskCompleted event, which all command events name
    std::vector<EventId> eager_activities;  // to start in place: scheduled event ids
    bool events_waiting = false;            // events were buffered while the task ran
    /// A cancelled activity was never started: its outcome is new to the worker.
    bool new_task_needed = false;
    /// Of request.messages, those that have been obeyed.
    std::set<int> messages_taken = {};
    /// Updates that this completion has rejected: nothing else remembers them.
    std::set<std::string> updates_rejected = {};
    /// Workflow ids of the children that this completion starts; it may not cancel them yet.
    std::set<std::string> initiated_children = {};
    /// Activities that workers hold and that are to be cancelled.
    std::vector<EventId> cancelled_activities = {};
};

/// An event with the type, and the user metadata of the command that makes it.
HistoryEvent command_event(EventType type, const Command& command);

inline Refusal refuse(WorkflowTaskFailedCause cause, std::string message) {
    return {cause, std::move(message), false};
}

// activity_command.cc
CommandResult handle_schedule_activity(Completion& completion, const Command& command);
CommandResult handle_request_cancel_activity(Completion& completion, const Command& command);
// child_command.cc
CommandResult handle_start_child(Completion& completion, const Command& command);
// external.cc
CommandResult handle_signal_external(Completion& completion, const Command& command);
CommandResult handle_request_cancel_external(Completion& completion, const Command& command);
// command_timer.cc
CommandResult handle_start_timer(Completion& completion, const Command& command);
CommandResult handle_cancel_timer(Completion& completion, const Command& command);
// command_marker.cc
CommandResult handle_record_marker(Completion& completion, const Command& command);
// command_properties.cc
CommandResult handle_upsert_search_attributes(Completion& completion, const Command& command);
CommandResult handle_modify_properties(Completion& completion, const Command& command);
// command_close.cc
CommandResult handle_complete_workflow(Completion& completion, const Command& command);
CommandResult handle_fail_workflow(Completion& completion, const Command& command);
CommandResult handle_cancel_workflow(Completion& completion, const Command& command);
// continue_as_new.cc
CommandResult handle_continue_as_new(Completion& completion, const Command& command);

// ---- Activities (activity*.cc) -------------------------------------------------------------

/// Does whatever of this activity is due at builder.now(): its retry, or one of its timeouts.
void fire_activity_deadline(Builder& builder, ItemId scheduled);
/// Starts, after the last command, those of completion.eager_activities that are still pending, and
/// forgets the others (cancelled or outlived by their run in the same completion).
void start_eager_activities(Completion& completion);
/// Tells the workers that hold these activities to give them up, if they listen for commands.
void tell_workers_to_cancel(Builder& builder, const std::vector<EventId>& activities);
/// The same for all that are pending.
void tell_workers_of_close(Builder& builder);
/// Pending activities as DescribeWorkflowExecution shows them.
void describe_activities(const Run& run, service::DescribeWorkflowExecutionResponse& response);

// ---- Requests to other workflows (external.cc) ---------------------------------------------

/// Puts the request that this event has initiated into the outbox.
void send_external(Builder& builder, storage::OutboxRow::Kind kind, EventId initiated);

// ---- Problems of workflow tasks (reported_problems.cc) -------------------------------------

/// Makes TemporalReportedProblems name the last problem, if there have been enough in a row.
void report_task_problems(Builder& builder);
/// A workflow task was completed: there is no problem any more.
void clear_task_problems(Builder& builder);

// ---- Signals (signal.cc) -------------------------------------------------------------------

/// Appends or buffers the signal, counts it and remembers its request id. Schedules no task.
void record_signal(Builder& builder, const SignalInput& input);

// ---- The workflow task (workflow_task*.cc) -------------------------------------------------

/// Ends the started task as failed: the event (of a first attempt); stickiness is forgotten. Neither
/// flushes buffered events nor schedules a task.
void fail_started_task(Builder& builder, WorkflowTaskFailedCause cause,
                       const api::failure::v1::Failure& failure, const std::string& identity,
                       const std::string& binary_checksum = {});
/// The cause as people read it: "BadScheduleActivityAttributes".
std::string failed_cause_name(WorkflowTaskFailedCause cause);
/// Who acts when the server does so of its own accord.
inline const std::string kHistoryServiceIdentity = "history-service";

// ---- Closing (close.cc) --------------------------------------------------------------------

/// Fails a started task (FORCE_CLOSE_COMMAND) and flushes buffered events, so that a closing event
/// may follow.
void end_task_by_force(Builder& builder);
/// Ends a started task, writes the terminated event and closes the run.
void terminate_run(Builder& builder, const TerminateInput& input);
/// Ends a started task, writes the timed-out event and closes the run. `new_run_id` names the run
/// that tries again, if there is one.
void time_out_run(Builder& builder, temporal::api::enums::v1::RetryState retry_state,
                  const std::string& new_run_id);
/// The limit that the run goes over, in the words of a termination; null when it keeps to all of them.
const char* exceeded_limit(const Builder& builder);
/// Fails the started task behind which too many events wait.
void bound_buffer(Builder& builder);

}  // namespace stele::history
