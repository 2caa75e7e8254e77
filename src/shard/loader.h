#pragma once

#include "shard/run_cache.h"
#include "store/keys.h"
#include "store/store.h"

#include <optional>

// Reads runs from the store. Everything here sees what the store can be read for, which may be
// behind the memory of the shard: ask the cache first.
namespace stele::shard {

/// The newest run of a workflow id, or nullopt when there never was one.
absl::StatusOr<std::optional<storage::CurrentRow>> read_current(store::Store& store, Slot slot,
                                                                const RunRef& workflow);
/// The key of a run that is known by its run id.
absl::StatusOr<std::optional<RunKey>> read_run_key(store::Store& store, Slot slot,
                                                   const RunRef& run);
/// The whole run by one prefix scan; null when it does not exist.
absl::StatusOr<std::unique_ptr<LoadedRun>> read_run(store::Store& store, RunAddress address);
/// The largest run key in use; RunKey{} when there is none.
absl::StatusOr<RunKey> read_last_run_key(store::Store& store);

/// The value of a run row.
std::string encode_run_value(RunKey key);

}  // namespace stele::shard
