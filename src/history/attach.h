#pragma once

#include "history/commands.h"

// A start that met an open run and is content with it may leave something there.
namespace stele::history {

struct AttachInput {
    std::string request_id;  // empty: not attached
    std::vector<api::common::v1::Link> links;
    std::vector<api::common::v1::Callback> callbacks;
};

/// Appends or buffers a WorkflowExecutionOptionsUpdated event, without a workflow task. NOT_FOUND when
/// the run has closed; FAILED_PRECONDITION when it has too many callbacks; empty when the request id
/// is attached already.
absl::StatusOr<Applied<None>> attach_to_run(const Run& run, const AttachInput& input,
                                            const Context& context);

/// Whether a start with this request id has been attached to the run.
bool is_attached(const Run& run, const std::string& request_id);

}  // namespace stele::history
