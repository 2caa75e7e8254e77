#include "sim/reset_checks.h"

#include "sim/script.h"

#include <fmt/format.h>

#include <set>

namespace stele::sim {
namespace {

/// The values of the clients' signals from an event on.
std::set<std::string> signals_from(const History& history, std::int64_t first) {
    std::set<std::string> values;
    for (const HistoryEvent& event : history) {
        const auto& signal = event.workflow_execution_signaled_event_attributes();
        if (event.event_id() < first || signal.signal_name() != "step") continue;
        values.insert(signal.input().payloads(0).data());
    }
    return values;
}

}  // namespace

std::vector<std::string> check_reset(std::int64_t finish, const History& base,
                                     const std::vector<History>& later, const History& run) {
    std::vector<std::string> faults;
    for (std::int64_t id = 1; id < finish; ++id) {
        const auto at = static_cast<std::size_t>(id - 1);
        const bool same = at < base.size() && at < run.size() &&
                          base[at].SerializeAsString() == run[at].SerializeAsString();
        if (same) continue;
        faults.push_back(
            fmt::format("invariant 4: event {} is not what it was before a reset", id));
        break;
    }
    std::set<std::string> expected = signals_from(base, finish);
    for (const History& next : later) expected.merge(signals_from(next, 1));
    const std::set<std::string> present = signals_from(run, 1);
    for (const std::string& value : expected) {
        if (present.contains(value)) continue;
        faults.push_back(fmt::format("invariant 6: signal {} is lost by a reset", value));
    }
    return faults;
}

}  // namespace stele::sim
