#pragma once

#include "base/time.h"
#include "temporal/api/history/v1/message.pb.h"

#include <string>
#include <vector>

// What every history must satisfy, whatever happened; numbers as in docs/invariants.md.
namespace stele::sim {

using History = std::vector<temporal::api::history::v1::HistoryEvent>;

/// Whether it is an event that ends a run.
bool is_closing(const temporal::api::history::v1::HistoryEvent& event);

/// What is wrong with the whole history of a closed run, one sentence each. `operated`:
/// operators may have started its activities over, or gone on after their last attempt.
/// `longest_heartbeat`: for how long a workflow task may be kept by heartbeats.
std::vector<std::string> check_history(const std::string& run_id, const History& history,
                                       bool operated,
                                       Duration longest_heartbeat = std::chrono::minutes(30));

/// Invariant 13: what is wrong between a run and the one that took over from it.
std::vector<std::string> check_successor(const History& before, const std::string& run_id,
                                         const History& after);

/// The run that took over, or empty.
std::string successor_of(const History& history);

}  // namespace stele::sim
