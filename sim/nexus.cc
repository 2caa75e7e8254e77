#include "sim/nexus.h"

#include "sim/operators.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

#include <map>

namespace stele::sim {

namespace service = temporal::api::workflowservice::v1;

std::vector<Asked> asked_in(const History& history) {
    std::map<std::int64_t, std::string> targets;
    std::vector<Asked> found;
    for (const auto& event : history) {
        if (event.has_nexus_operation_scheduled_event_attributes()) {
            service::SignalWithStartWorkflowExecutionRequest request;
            request.ParseFromString(
                event.nexus_operation_scheduled_event_attributes().input().data());
            targets[event.event_id()] = request.workflow_id();
        } else if (event.has_nexus_operation_completed_event_attributes()) {
            const auto& completed = event.nexus_operation_completed_event_attributes();
            service::SignalWithStartWorkflowExecutionResponse response;
            response.ParseFromString(completed.result().data());
            found.push_back({targets[completed.scheduled_event_id()], response.run_id(),
                             completed.request_id()});
        }
    }
    return found;
}

std::vector<std::string> check_asked(const Asked& asked, const History& target) {
    int signals = 0;
    for (const auto& event : target) {
        if (!event.has_workflow_execution_signaled_event_attributes()) continue;
        const auto& signal = event.workflow_execution_signaled_event_attributes();
        if (signal.signal_name() == kBatchSignal) continue;  // to all there are
        if (signal.request_id() != asked.request_id) {
            return {
                fmt::format("invariant 6: run {} was signalled by somebody else", asked.run_id)};
        }
        ++signals;
    }
    if (signals == 1) return {};
    return {fmt::format("invariant 6: run {} of {} was signalled {} times", asked.run_id,
                        asked.workflow_id, signals)};
}

}  // namespace stele::sim
