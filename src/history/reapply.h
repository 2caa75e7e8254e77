#pragma once

#include "history/families.h"

// What came from outside behind a reset point, applied to the run that begins there. Pure.
namespace stele::history {

/// Writes the event, with what it does, into the new run. An event that has nothing to do with the
/// new run is left out: an outcome of a child that the new run does not know.
void reapply(Builder& builder, const HistoryEvent& event);

/// The same for what the base has learned of a child (tells_of_child). Left out unless the new run has
/// asked for that child too.
void reapply_child(Builder& builder, const HistoryEvent& event);

}  // namespace stele::history
