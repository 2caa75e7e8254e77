#include "sim/update_checks.h"

#include "sim/update_script.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace stele::sim {

std::vector<std::string> check_updates(const std::string& run_id, const History& history,
                                       const Record& record) {
    std::vector<std::string> faults;
    const auto complain = [&](const std::string& what) {
        faults.push_back(fmt::format("invariant 13: run {}: {}", run_id, what));
    };
    std::map<std::string, std::int64_t> accepted;  // to the event
    std::set<std::string> completed;
    for (const HistoryEvent& event : history) {
        if (event.has_workflow_execution_update_accepted_event_attributes()) {
            const std::string& update_id =
                event.workflow_execution_update_accepted_event_attributes().protocol_instance_id();
            if (is_to_be_rejected(update_id)) {
                complain(fmt::format("event {} accepts {}, which workers reject", event.event_id(),
                                     update_id));
            }
            if (!accepted.emplace(update_id, event.event_id()).second) {
                complain(fmt::format("update {} is accepted twice", update_id));
            }
        } else if (event.has_workflow_execution_update_completed_event_attributes()) {
            const auto& attributes = event.workflow_execution_update_completed_event_attributes();
            const auto known = accepted.find(attributes.meta().update_id());
            if (known == accepted.end() || known->second != attributes.accepted_event_id()) {
                complain(fmt::format("event {} completes what was not accepted", event.event_id()));
            }
            if (!completed.insert(attributes.meta().update_id()).second) {
                complain(
                    fmt::format("update {} is completed twice", attributes.meta().update_id()));
            }
        }
    }
    for (const auto& [update, told] : record.updates) {
        if (update.first != run_id) continue;
        if (told.accepted && !accepted.contains(update.second)) {
            complain(fmt::format("update {} was said to be accepted and is gone", update.second));
        }
        if (told.completed && !completed.contains(update.second)) {
            complain(fmt::format("update {} was said to be completed and is gone", update.second));
        }
        if (told.rejected && accepted.contains(update.second)) {
            complain(fmt::format("update {} was said to be rejected and is there", update.second));
        }
    }
    return faults;
}

}  // namespace stele::sim
