#pragma once

#include "history/commands.h"

// Children of a run, on both sides. The parent keeps a row for each child that has not ended; the
// outbox carries what one has to tell the other. The parent chooses the run id of the child, so a
// start that is repeated finds the run that it has made, whatever has become of it. The child gets
// its first workflow task only after the parent has recorded the start.
namespace stele::history {

/// The child's start as its shard gets it.
struct ChildStart {
    ParentLink parent;
    service::StartWorkflowExecutionRequest request;
    std::string run_id;
};
/// `child` must not have been recorded as started.
ChildStart child_start(const Run& parent, const storage::ChildRow& child);

/// Whether the parent has recorded the start; its event may still be buffered.
inline bool is_started(const storage::ChildRow& child) { return !child.run_id().empty(); }

// ---- The parent's side. All are empty when the child is not, or no more, waited for in this way.

/// The child exists: its started event, and the order to release it.
absl::StatusOr<Applied<None>> record_child_started(const Run& parent, EventId initiated,
                                                   const Context& context);
absl::StatusOr<Applied<None>> record_child_not_started(
    const Run& parent, EventId initiated,
    api::enums::v1::StartChildWorkflowExecutionFailedCause cause, const Context& context);

struct ChildReport {
    EventId initiated;                             // in the history of the parent
    api::common::v1::WorkflowExecution execution;  // the run that closed
    std::string chain_run_id;                      // the first run of its chain
    HistoryEvent closing_event;
};
/// The last run of the child has closed. Records its start, too, if that has not been done yet.
absl::StatusOr<Applied<None>> record_child_closed(const Run& parent, const ChildReport& report,
                                                  const Context& context);

// ---- The child's side ----------------------------------------------------------------------

/// The parent has recorded the start: the first workflow task, unless it is delayed. Empty when the
/// child has been released before or has closed.
absl::StatusOr<Applied<None>> release_child(const Run& child, const Context& context);

/// The parent has closed and its policy is to request cancellation. This word takes the place of the
/// release when that has not arrived yet, so the child begins with it: nobody else would let it.
/// Idempotent: empty when the child has closed, or has begun and was asked to cancel before.
absl::StatusOr<Applied<None>> cancel_left_child(const Run& child, const CancelInput& input,
                                                const Context& context);

}  // namespace stele::history
