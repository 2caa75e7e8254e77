#pragma once

#include "sim/checks.h"
#include "sim/sdk_clients.h"
#include "sim/sdk_workflows.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

// What the code of the SDK's workflows saw, against what the histories say. Invariant 21: it saw each
// thing once, in the order of the history, as it is there; a history gives the same commands and the
// same result whenever it is replayed.
namespace stele::sim {

/// Not thread safe.
class SdkChecks {
public:
    /// What is wrong with one run of the SDK's workflows; nothing for other runs.
    std::vector<std::string> check_run(const std::string& workflow_id, const std::string& run_id,
                                       const History& history);
    /// Takes note of the signals that a run got of which no client was told, and whose workflow id another
    /// one has now.
    void note_untold_run(const History& history);
    /// What is wrong between runs, and with what was shown of them; once all have been checked.
    std::vector<std::string> check_end(const std::vector<JournalShown>& shown) const;

private:
    std::map<std::string, Journal> ends_;   // the longest journal of each workflow id
    std::set<std::string> cut_short_;       // workflow ids whose last run left no journal
    std::set<std::string> greetings_sent_;  // with success
    std::set<std::string> greetings_received_;
};

}  // namespace stele::sim
