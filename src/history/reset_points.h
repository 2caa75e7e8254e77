#pragma once

#include "history/builder.h"

// Where a run can be reset to so that what one version of the worker has done is undone: the first
// workflow task that each build id, or binary checksum, has completed. Functions of their arguments.
namespace stele::history {

/// A completed workflow task as the beginning of a build's work.
struct CompletedBy {
    EventId completed;
    Timestamp when;
    /// False while requests to other workflows are under way, which a reset could not take back.
    bool resettable = true;
};

/// Remembers the first task of a build that the run has not met before; only the newest `limit`
/// are kept.
void add_reset_point(
    storage::HeaderRow& header, const std::string& run_id,
    const temporal::api::history::v1::WorkflowTaskCompletedEventAttributes& attributes,
    const CompletedBy& completed, int limit);

/// What a run that continues another one takes over. The points of `previous`, which has ended now,
/// hold until it is deleted; those whose run has been deleted are left out.
temporal::api::workflow::v1::ResetPoints carried_reset_points(
    temporal::api::workflow::v1::ResetPoints points, const std::string& previous, Timestamp now,
    Duration retention);

}  // namespace stele::history
