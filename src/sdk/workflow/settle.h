#pragma once

#include <exception>
#include <string>

#include "sdk/core/activation.h"
#include "stele/detail/operation.h"

namespace stele::wf::detail {

/// The exception that mirrors a recorded failure.
std::exception_ptr make_exception(const core::Failure& failure);

/// Why something ended that the code of the workflow has cancelled; `reason` may be empty.
core::Failure workflow_canceled(const std::string& reason);
/// What code gets that does not wait for the activity that it has cancelled.
std::exception_ptr make_activity_canceled(const std::string& type, const std::string& activity_id,
                                          const std::string& reason);

/// Gives an operation the result that the machines report.
void settle(PendingOperation& operation, core::Resolution resolution);

}  // namespace stele::wf::detail
