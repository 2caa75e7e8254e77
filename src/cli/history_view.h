#pragma once

#include "cli/history.h"

// Histories as people read them.
namespace stele::cli {

struct HistoryView {
    Execution execution;
    bool is_detailed = false;
    bool follow = false;  // waits for the end, and goes on with the next run
    bool reverse = false;
};

/// Prints "Progress:" with a line per event, or all fields of each, as they come. Returns the event
/// that ended the last run, if it has ended.
absl::StatusOr<std::optional<Event>> print_history(Session& session, const HistoryView& view);

}  // namespace stele::cli
