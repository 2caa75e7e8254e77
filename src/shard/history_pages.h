#pragma once

#include "shard/dispatch.h"
#include "shard/run_cache.h"
#include "store/store.h"

#include <functional>

// Pages of a history, made by joining stored batches as they are: nothing is parsed unless a page
// begins or ends inside a batch. The newest batches come from memory, the others from the store.
// Pure reads; a run belongs to its shard's executor.
namespace stele::shard {

/// A page ends with the batch that reaches one of them.
struct PageLimits {
    std::int32_t events = 256;
    std::size_t bytes = 2 * 1024 * 1024;
};

/// Events from `from` up to but without `end`, as far as the limits allow.
absl::StatusOr<HistoryPage> read_page(store::Store& store, const LoadedRun& run, EventId from,
                                      EventId end, const PageLimits& limits);
/// The newest events first, beginning with `last`; `next` is the one to go on with, downwards.
absl::StatusOr<HistoryPage> read_page_backwards(store::Store& store, const LoadedRun& run,
                                                EventId last, const PageLimits& limits);
/// One event, which the run must have.
absl::StatusOr<history::HistoryEvent> read_event(store::Store& store, const LoadedRun& run,
                                                 EventId id);
/// The last event alone.
absl::StatusOr<HistoryPage> read_last_event(store::Store& store, const LoadedRun& run);

/// Called with batches as they were written, oldest first. Returns whether to go on.
using VisitBatch = std::function<absl::StatusOr<bool>(history::EventBatch batch)>;
/// The batches that hold events of [from, end), whole.
absl::Status read_batches(store::Store& store, const LoadedRun& run, EventId from, EventId end,
                          const VisitBatch& visit);

/// The last event of a run as it is in memory.
EventId last_event(const LoadedRun& run);

}  // namespace stele::shard
