#pragma once

#include "history/commands.h"

#include <optional>

// Updates: calls into a running workflow that are answered. One that arrives waits in memory until a
// workflow task takes it to a worker as a message. The worker accepts it, which is an event, or
// rejects it, which leaves no trace; an accepted one is completed by another event later. Where
// nothing else calls for a task, a speculative one carries the update: it is not written either,
// until something happens that must be. Pure, like all of history.
namespace stele::history {

// ---- update.cc -----------------------------------------------------------------------------

/// Takes an update into the run, and schedules a speculative task when no task is pending. The
/// transition is in memory only. Empty when the update is known: the same id is the same update.
/// Refused: NOT_FOUND (closed, and the update unknown), FAILED_PRECONDITION (paused, task failing,
/// too many in all), RESOURCE_EXHAUSTED (too many in flight, or the run is about to close).
absl::StatusOr<Applied<None>> admit_update(const Run& run,
                                           const api::update::v1::Request& request,
                                           const Context& context);

/// Whether an update was lost because its run closed, which is no fault of the update.
bool is_aborted_by_close(const absl::Status& status);

/// What admit_update would say to the first update of a run that is yet to be started.
absl::Status check_first_update(const api::update::v1::Request& request, const Context& context);

/// How far an update has come.
struct UpdateProgress {
    api::enums::v1::UpdateWorkflowExecutionLifecycleStage stage{};
    /// When the run closed under an accepted update.
    std::optional<api::update::v1::Outcome> outcome;
    /// The event that has the outcome; kNoEvent when there is none.
    EventId completed_event;
};
/// Nullopt: never heard of, rejected or aborted.
std::optional<UpdateProgress> find_update(const Run& run, const std::string& update_id);

/// Puts an update of another run into the history of this one (a reset): as admitted, by an event
/// that holds the request. Nothing when the run knows the id. Schedules no task.
void reapply_update(Builder& builder, const api::update::v1::Request& request,
                    api::enums::v1::UpdateAdmittedEventOrigin origin);

/// What an event tells of updates, as rows of a run that is rebuilt from its history. Nothing for
/// other events.
void restore_update(Table<storage::UpdateRow>& updates, const HistoryEvent& event);

/// The request of an update as events tell of it, for reapply_update: of an admitted event, or of
/// an accepted one that holds its request. Null for every other event.
const api::update::v1::Request* request_of_update(const HistoryEvent& event);

// ---- The tasks that carry updates (workflow_task*.cc) --------------------------------------

/// When the run's speculative task times out, by its start or by its completion; kNever when there
/// is none. fire_due then writes what there was of it. No alarm row knows of this deadline.
Timestamp speculative_deadline(const Run& run);

/// Schedules a speculative task for the updates that wait and starts it for the worker that has just
/// completed another (CompletedWorkflowTask::speculative_next). In memory only.
absl::StatusOr<Applied<StartedWorkflowTask>> start_next_speculative_task(
    const Run& run, const std::string& identity, const Context& context);

}  // namespace stele::history
