#pragma once

#include "shard/shard.h"

#include <cstddef>
#include <string>

// The runs of a namespace that is being deleted.
namespace stele::shard {

/// Ends what is open and asks for the deletion of what is closed, some hundreds of runs at a time.
/// Returns how many were found; 0 means that the store shows none. On the shard's executor.
std::size_t purge_runs(Shard& shard, const std::string& namespace_id);

}  // namespace stele::shard
