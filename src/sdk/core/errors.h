#pragma once

#include <string>
#include <utility>

#include "stele/errors.h"
#include "temporal/api/enums/v1/failed_cause.pb.h"

namespace stele::core {

/// The workflow task cannot be completed; the workflow itself is unharmed. Thrown inside the worker
/// only, and reported to the server with its cause.
class WorkflowTaskFailure : public Error {
public:
    using Cause = temporal::api::enums::v1::WorkflowTaskFailedCause;

    WorkflowTaskFailure(Cause cause, const std::string& message) : Error(message), cause_(cause) {}
    Cause cause() const { return cause_; }

private:
    Cause cause_;
};

/// Code and history differ.
[[noreturn]] inline void fail_nondeterminism(const std::string& message) {
    throw WorkflowTaskFailure(
        temporal::api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
        "[nondeterminism] " + message);
}

/// The workflow code threw something that is not a Temporal failure, or the worker cannot run it.
[[noreturn]] inline void fail_task(const std::string& message) {
    throw WorkflowTaskFailure(
        temporal::api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
        message);
}

}  // namespace stele::core
