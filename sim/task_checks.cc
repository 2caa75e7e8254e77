#include "sim/task_checks.h"

#include "base/time.h"
#include "sim/script.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele::sim {
namespace {

/// How long a request may be under way: its caller waits no longer.
constexpr Duration kLongestCall = std::chrono::seconds(30);

bool was_hastened(const std::string& workflow_id, const History& history,
                  const HistoryEvent& scheduled, const Record& record) {
    const bool cancelled =
        std::any_of(history.begin(), history.end(), [&scheduled](const HistoryEvent& event) {
            return event.event_id() < scheduled.event_id() &&
                   event.has_workflow_execution_cancel_requested_event_attributes();
        });
    const auto requests = record.hastened.find(workflow_id);
    if (cancelled || requests == record.hastened.end()) return cancelled;
    const Timestamp begin = from_proto(history.front().event_time()) - kLongestCall;
    const Timestamp end = from_proto(scheduled.event_time());
    return std::any_of(requests->second.begin(), requests->second.end(),
                       [&](Timestamp sent) { return sent >= begin && sent <= end; });
}

bool is_scheduled(const HistoryEvent& event) {
    return event.has_workflow_task_scheduled_event_attributes();
}

}  // namespace

std::vector<std::string> check_delay(const std::string& workflow_id, const std::string& run_id,
                                     const History& history, const Record& record) {
    const auto first = std::find_if(history.begin(), history.end(), is_scheduled);
    if (first == history.end()) return {};
    const Timestamp due = from_proto(history.front().event_time()) +
                          from_proto(history.front()
                                         .workflow_execution_started_event_attributes()
                                         .first_workflow_task_backoff());
    if (from_proto(first->event_time()) >= due) return {};
    if (was_hastened(workflow_id, history, *first, record)) return {};
    return {fmt::format(
        "invariant 8: run {}: the first workflow task was scheduled before its time", run_id)};
}

}  // namespace stele::sim
