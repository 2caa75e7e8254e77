#pragma once

#include "history/commands.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include <google/protobuf/field_mask.pb.h>

// What of a run's options can be changed while it is open: its priority, and the override of its
// versioning. Pure functions.
namespace stele::history {

using WorkflowOptions = api::workflow::v1::WorkflowExecutionOptions;

struct OptionsChange {
    WorkflowOptions options;
    /// Which of them are meant; a path that is named and not set takes the option away.
    google::protobuf::FieldMask mask;
    std::string identity;
};

WorkflowOptions options_of(const storage::InfoRow& info);

/// Writes the event, unless the change changes nothing, and puts a waiting workflow task into its
/// queue anew when its place there may be another. Returns the options as they are then.
/// INVALID_ARGUMENT for masks and options that are not possible; FAILED_PRECONDITION for a version
/// that the task queue does not have.
absl::StatusOr<WorkflowOptions> change_options(Builder& builder, const OptionsChange& change);

/// The same as a transition. NOT_FOUND when the run is closed; empty when nothing changes.
absl::StatusOr<Applied<WorkflowOptions>> update_options(const Run& run,
                                                        const OptionsChange& change,
                                                        const Context& context);

/// What an event does to the row.
void apply_options(storage::InfoRow& info,
                   const api::history::v1::WorkflowExecutionOptionsUpdatedEventAttributes& updated);
/// Writes an event that says of options what another one says, and does it to the draft.
void add_options_updated(Builder& builder, HistoryEvent event);

}  // namespace stele::history
