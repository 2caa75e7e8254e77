#pragma once

#include "history/commands.h"

#include <string>

// A paused run makes no progress: no workflow task and no activity is handed to a worker, whatever
// happens meanwhile. What workers hold may still end, events are still recorded, timeouts still
// apply. Pure functions.
namespace stele::history {

struct PauseInput {
    std::string identity;
    std::string reason;
    std::string request_id;
};
/// Empty when this request has paused the run before. NOT_FOUND when the run is closed,
/// FAILED_PRECONDITION when it is paused already.
absl::StatusOr<Applied<None>> pause_workflow(const Run& run, const PauseInput& input,
                                             const Context& context);
/// Schedules a workflow task and what activities wait. NOT_FOUND when the run is closed,
/// FAILED_PRECONDITION when it is not paused.
absl::StatusOr<Applied<None>> unpause_workflow(const Run& run, const PauseInput& input,
                                               const Context& context);

inline bool is_paused(const storage::HeaderRow& header) {
    return header.status() == api::enums::v1::WORKFLOW_EXECUTION_STATUS_PAUSED;
}

// ---- What the events do to the rows ----------------------------------------------------------

void mark_paused(storage::HeaderRow& header,
                 const api::history::v1::WorkflowExecutionPausedEventAttributes& paused,
                 Timestamp when);
void mark_unpaused(storage::HeaderRow& header);
/// Makes TemporalPauseInfo, the search attribute by which lists find what is paused, say so.
void update_pause_info(Builder& builder);

}  // namespace stele::history
