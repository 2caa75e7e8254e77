#pragma once

#include "history/builder.h"

// The row that an event brings into being. Whoever writes such an event inserts the row made from
// it, and whoever rebuilds a run from its history makes the same row of the same event: so the two
// can not drift apart. Pure functions. `when` is the time of the event; the id of the event, which
// it may not have yet, is set by the caller.
namespace stele::history {

storage::ActivityRow activity_row(const HistoryEvent& scheduled, Timestamp when);
storage::TimerRow timer_row(const HistoryEvent& started, Timestamp when);
/// A signal or cancel request to another workflow. The request id, which no event tells, is left
/// to the caller.
storage::ExternalRow external_row(const HistoryEvent& initiated);
/// A child that is to be started. Its request id is left to the caller as well.
storage::ChildRow child_row(const HistoryEvent& initiated);
/// What the event that a child has started makes of its row; `id` is that of the event.
void mark_started(storage::ChildRow& child, const HistoryEvent& started, EventId id);

}  // namespace stele::history
