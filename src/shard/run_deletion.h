#pragma once

#include "shard/shard.h"

// The end of a closed run: its state, its history and its place in lists go. A run is deleted when
// its retention is over, or earlier on request. Both ways are the run's alarm, which is durable and
// rings again until the run has gone: a run that still owes an effect to another one (outbox) waits.
namespace stele::shard {

/// When a run that closes with this draft is to be deleted: its retention, and a part of the jitter
/// so that runs which closed together do not go together.
Timestamp deletion_time(Shard& shard, const history::Draft& closing);

/// Asks for the deletion of a closed run as soon as possible. Once the position that is returned is
/// durable, the run will be gone even if the server ends now. Idempotent.
Position request_deletion(Shard& shard, LoadedRun& run);

/// The alarm of a closed run has rung: deletes it, or sets the alarm anew where it is too early.
/// What was deleted is not found any more; `run` stays valid until the closure under way ends.
void delete_if_due(Shard& shard, LoadedRun& run);

}  // namespace stele::shard
