#pragma once

#include "history/builder.h"

// What the closing of a run means for its children and for its parent. Not thread safe.
namespace stele::history {

/// Tells every child that its policy concerns what to do, through the outbox. A run that a reset has
/// ended (header.was_reset) leaves them to the run in its place, but for those whose start is under way:
/// the new run asks for them itself.
void apply_parent_close_policy(Builder& builder);

/// Tells the parent how its child has ended, unless the chain goes on: by continue-as-new, a retry, a
/// cron schedule or a reset. `closing` is the last event.
void report_to_parent(Builder& builder, const HistoryEvent& closing);

/// An outbox row of this run under `number`, which must be an event id that no other row is kept
/// under.
storage::OutboxRow outbox_row(const Builder& builder, storage::OutboxRow::Kind kind, EventId number);

/// Asks for the start of a child that has a row, under this run id, or one that is chosen here when it
/// is empty. After a reset this is done again for those that were not recorded as started at its point.
void ask_for_child(Builder& builder, EventId initiated, std::string run_id = {});

}  // namespace stele::history
