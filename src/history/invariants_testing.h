#pragma once

#include "history/commands.h"

#include <string>
#include <vector>

// What must hold of every run after every step; numbers are those of the invariants in the
// documentation. The functions look and report through GoogleTest. Thread safe.
namespace stele::history::testing {

/// All rows of a run as text, so that two states can be compared and a difference can be read.
std::string rows_text(const Run& run);

/// 3: ids are 1..n, at most one closing event, which is last. 5: at most one outcome for each timer
/// and activity. 7: references point backwards. 9: tasks take turns: scheduled, started, ended.
void check_history(const api::history::v1::History& history);

/// What the rows say agrees with what the events say (10).
void check_rows_against_history(const Run& run, const api::history::v1::History& history);

/// The state is what the history, folded, says that it is (10). Long histories are left out: this
/// is called after every step.
void check_fold(const Run& run, const std::vector<EventBatch>& history);

}  // namespace stele::history::testing
