#include "frontend/follow_run.h"

#include "temporal/api/history/v1/message.pb.h"

#include <utility>

namespace stele::frontend {
namespace {

namespace api = temporal::api;
using ContinuedAsNew = api::history::v1::WorkflowExecutionContinuedAsNewEventAttributes;

constexpr std::string_view kFeature = "follows-next-run-id";

/// The successor of a closing event and what the client would want to see of the outcome.
ContinuedAsNew successor_of(const api::history::v1::HistoryEvent& event) {
    ContinuedAsNew result;
    if (event.has_workflow_execution_completed_event_attributes()) {
        const auto& completed = event.workflow_execution_completed_event_attributes();
        result.set_new_execution_run_id(completed.new_execution_run_id());
        if (completed.has_result()) *result.mutable_last_completion_result() = completed.result();
    } else if (event.has_workflow_execution_failed_event_attributes()) {
        const auto& failed = event.workflow_execution_failed_event_attributes();
        result.set_new_execution_run_id(failed.new_execution_run_id());
        *result.mutable_failure() = failed.failure();
    } else if (event.has_workflow_execution_timed_out_event_attributes()) {
        const auto& timed_out = event.workflow_execution_timed_out_event_attributes();
        result.set_new_execution_run_id(timed_out.new_execution_run_id());
        result.mutable_failure()->set_message("workflow timeout");
        result.mutable_failure()->set_source("Server");
        result.mutable_failure()->mutable_timeout_failure_info()->set_timeout_type(
            api::enums::v1::TIMEOUT_TYPE_START_TO_CLOSE);
    }
    return result;
}

}  // namespace

bool follows_next_run(std::string_view supported_features) {
    while (!supported_features.empty()) {
        const std::size_t comma = supported_features.find(',');
        if (supported_features.substr(0, comma) == kFeature) return true;
        if (comma == std::string_view::npos) return false;
        supported_features.remove_prefix(comma + 1);
    }
    return false;
}

std::string dress_successor(std::string history_bytes) {
    api::history::v1::History history;
    if (!history.ParseFromString(history_bytes) || history.events().empty()) return history_bytes;
    auto& last = *history.mutable_events(history.events_size() - 1);
    ContinuedAsNew successor = successor_of(last);
    if (successor.new_execution_run_id().empty()) return history_bytes;
    last.set_event_type(api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
    *last.mutable_workflow_execution_continued_as_new_event_attributes() = std::move(successor);
    return history.SerializeAsString();
}

}  // namespace stele::frontend
