#pragma once

#include "history/commands.h"
#include "history/options.h"
#include "history/rebuild.h"

#include <google/protobuf/repeated_field.h>

#include <map>
#include <string>
#include <vector>

// A run is tried again from a point in its past: a new run begins with a copy of the history up to a
// workflow task, that task is failed, and what came from outside after the point is applied to the
// new run as well. The shard reads the histories; what becomes of them is decided here. Pure.
namespace stele::history {

/// Kinds of events that are not to be applied to the new run.
struct ReapplyExclusions {
    bool signals = false;
    bool updates = false;
    bool nexus = false;

    bool all() const { return signals && updates && nexus; }
};
/// From a request: the list of exclusions, and the older field that says what to include.
ReapplyExclusions reapply_exclusions(const service::ResetWorkflowExecutionRequest& request);
/// Whether an event behind the reset point is of a kind that is applied to the new run.
bool is_reapplied(const HistoryEvent& event, const ReapplyExclusions& excluded);

/// Whether an event tells the parent that a child was started or not, or how it ended.
bool tells_of_child(const HistoryEvent& event);

struct ResetInput {
    RunIdentity identity;  // of the new run
    std::string base_run_id;
    std::string request_id;
    std::string reason;
    /// The event that ends the workflow task to be tried again, or would.
    EventId finish;
    /// The batches of the base that begin in front of `finish`, as they were written.
    std::vector<EventBatch> kept;
    /// What is_reapplied of the events behind: of the base, then of the runs that followed it.
    std::vector<HistoryEvent> later;
    /// What tells_of_child of the events of the base behind the reset point.
    std::vector<HistoryEvent> later_of_children;
    /// The children that the base still waits for: their run ids by initiated event.
    std::map<std::int64_t, std::string> running_children;
    google::protobuf::RepeatedPtrField<api::workflow::v1::PostResetOperation> operations;
};

/// The new run. INVALID_ARGUMENT when `finish` is not the end of a workflow task, or stands inside
/// a batch; DATA_LOSS when the history can not be folded.
absl::StatusOr<NewRun> reset_run(ResetInput input, const Context& context);

/// The open run that gives way to the new one. `reset_run_id` is the new run if it is this one that
/// is reset, else empty.
absl::StatusOr<Applied<None>> terminate_for_reset(const Run& run, const std::string& reason,
                                                  const std::string& reset_run_id,
                                                  const Context& context);
/// The base remembers what it was reset to; it may be closed.
Applied<None> link_reset_run(const Run& base, const std::string& reset_run_id,
                             const Context& context);

}  // namespace stele::history
