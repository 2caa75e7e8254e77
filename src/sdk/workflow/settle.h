#pragma once

#include <exception>

#include "sdk/core/activation.h"
#include "stele/detail/operation.h"

namespace stele::wf::detail {

/// The exception that mirrors a recorded failure.
std::exception_ptr make_exception(const core::Failure& failure);

/// Gives an operation the result that the machines report.
void settle(PendingOperation& operation, core::Resolution resolution);

}  // namespace stele::wf::detail
