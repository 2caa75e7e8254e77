#pragma once

#include "shard/dispatch.h"
#include "shard/run_cache.h"
#include "store/store.h"

// A transition as rows. What is written is exactly what changes in memory: the same draft makes
// both. Pure functions, thread safe.
namespace stele::shard {

/// The sequence of a row that a run numbers for itself (dispatch, outbox), within its slot: runs in
/// order of their creation, then the run's own numbers.
std::int64_t row_sequence(RunKey run, std::int64_t number);

/// What happens to a run's one alarm row.
struct AlarmChange {
    Timestamp erased = kNever;  // kNever: no row is erased
    Timestamp set = kNever;     // kNever: no row is written
};

/// Decides how the alarm row moves and says so in the header. The row moves when the earliest
/// deadline has come nearer, or when it has rung; a deadline that went away leaves it alone, since
/// an alarm that finds nothing to do costs less than moving it each time. A run that is `closed`
/// waits for nothing but its deletion, so its row moves there at once.
AlarmChange move_alarm(storage::HeaderRow& header, Timestamp earliest, bool closed, Timestamp now);

/// Adds the rows of a transition to `batch`. Events and dispatch tasks are left in the transition.
/// `is_new`: the run begins to exist with it.
void write_transition(store::WriteBatch& batch, RunAddress address,
                      const history::Transition& transition, const AlarmChange& alarm, bool is_new);
/// A speculative task in the header is left out.
void write_header(store::WriteBatch& batch, RunAddress address, const storage::HeaderRow& header);
void write_alarm(store::WriteBatch& batch, RunAddress address, const AlarmChange& alarm);

/// The current row of a workflow id whose newest run has these rows.
storage::CurrentRow make_current(const storage::InfoRow& info, const storage::HeaderRow& header);
void write_current(store::WriteBatch& batch, Slot slot, const RunRef& workflow,
                   const storage::CurrentRow& row);

/// How a dispatch row is offered to matching.
TaskOffer make_offer(QueueId queue, RunAddress address, std::int64_t sequence,
                     const storage::DispatchRow& row);
std::string dispatch_key(Slot slot, const QueueId& queue, std::int64_t sequence);

}  // namespace stele::shard
