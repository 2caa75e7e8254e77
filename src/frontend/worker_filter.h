#pragma once

#include "frontend/worker_registry.h"

#include <functional>
#include <string>

// The filter language of lists (see visibility/filter/filter.h) on workers.
namespace stele::frontend {

using WorkerFilter = std::function<bool(const WorkerHeartbeat&)>;

/// What the text asks for; empty text asks for everything. A name that means nothing holds for no
/// worker. INVALID_ARGUMENT for a text that is no filter. Pure.
absl::StatusOr<WorkerFilter> parse_worker_filter(const std::string& text);

}  // namespace stele::frontend
