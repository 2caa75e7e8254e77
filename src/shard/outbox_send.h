#pragma once

#include "shard/outbox_rows.h"

namespace stele::shard {

/// Sends what an outbox row has to say: to another run, to the handler of an operation, to a
/// worker, or to whoever waits outside. Replies once, on any executor, perhaps before this returns. False, and no reply, when nobody
/// waits for its effect any more. `source` may be null for a self-contained row.
bool send(Shard& shard, const storage::OutboxRow& row, LoadedRun* source,
          Reply<history::NexusOutcome> reply);

}  // namespace stele::shard
