#pragma once

#include "sim/checks.h"
#include "store/store.h"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

// Parents and their children, by what their histories say of each other. Invariant 13: what a parent
// has been told of a child is what became of it, and the policy for its closing was applied, once.
namespace stele::sim {

/// A child that a history tells of.
struct Kin {
    std::string parent_run;
    std::string workflow_id;
    std::string first_run;  // empty: its start was not recorded, so it may exist or not
    temporal::api::enums::v1::ParentClosePolicy policy{};
    /// What the parent was told; nullopt when it closed before.
    std::optional<temporal::api::history::v1::HistoryEvent> outcome;
};

/// The children of this run that could not be started, by the initiated event.
using FailedStarts = std::set<std::pair<std::string, std::int64_t>>;
void note_failed_starts(const std::string& run_id, const History& history, FailedStarts& failed);

/// Invariant 13: what is wrong with the runs of the store that have a parent.
std::vector<std::string> check_parents(store::Store& store, const FailedStarts& failed);

/// The children that this history of a closed run tells of.
std::deque<Kin> children_of(const std::string& run_id, const History& history);

/// What is wrong with the end of a child: `chain` is the histories of its runs, the first one first,
/// and `runs` their ids.
std::vector<std::string> check_kin(const Kin& kin, const std::vector<History>& chain,
                                   const std::vector<std::string>& runs);

}  // namespace stele::sim
