#pragma once

#include "shard/engine.h"
#include "temporal/api/batch/v1/message.pb.h"

#include <string>

// Where a run is reset to, when it is not told by an event id.
namespace stele::batch {

struct ResetTarget {
    std::string run_id;  // that of an earlier run, where the build that is named worked on that one
    std::int64_t event_id = 0;
};

/// Finds it in the history of the run, or among its reset points. NOT_FOUND when there is no such
/// run; INVALID_ARGUMENT when it has no such place.
void find_reset_target(shard::Engine& engine, const shard::NamespacePtr& space, const RunRef& run,
                       const temporal::api::batch::v1::BatchOperationReset& reset, Timestamp now,
                       Reply<ResetTarget> reply);

}  // namespace stele::batch
