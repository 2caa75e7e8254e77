#include "cli/history.h"

#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <fmt/format.h>

namespace stele::cli {
namespace {

namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

// Together a minute.
constexpr int kAttemptsWhileAway = 60;
constexpr Milliseconds kPauseWhileAway{1'000};

/// A server that shuts down cancels calls which have just arrived, as gRPC does; nobody here cancels.
bool is_away(const absl::Status& status) {
    return status.code() == absl::StatusCode::kUnavailable ||
           status.code() == absl::StatusCode::kCancelled;
}

}  // namespace

absl::StatusOr<std::optional<Event>> HistoryReader::next() {
    // A page may be empty while the run goes on: the long poll ended without news.
    while (page_.empty() && !(has_begun_ && page_token_.empty())) {
        STELE_RETURN_IF_ERROR(fetch());
        has_begun_ = true;
    }
    if (page_.empty()) return std::optional<Event>();
    std::optional<Event> event = std::move(page_.front());
    page_.pop_front();
    return event;
}

absl::Status HistoryReader::fetch() {
    for (int attempt = 1;; ++attempt) {
        absl::Status status = fetch_once();
        const bool may_return = read_.wait && session_.has_reached_server() && is_away(status);
        if (!may_return || attempt == kAttemptsWhileAway) return status;
        session_.pause(kPauseWhileAway);
    }
}

absl::Status HistoryReader::fetch_once() {
    return read_.reverse ? fetch_reverse() : fetch_forward();
}

absl::Status HistoryReader::fetch_forward() {
    service::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(session_.namespace_name());
    *request.mutable_execution() = read_.execution;
    request.set_next_page_token(page_token_);
    request.set_wait_new_event(read_.wait);
    request.set_skip_archival(true);
    request.set_history_event_filter_type(read_.close_only
                                              ? enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT
                                              : enums::HISTORY_EVENT_FILTER_TYPE_ALL_EVENT);
    service::GetWorkflowExecutionHistoryResponse response;
    STELE_RETURN_IF_ERROR(
        session_.call_workflow_service("GetWorkflowExecutionHistory", request, response));
    page_token_ = response.next_page_token();
    for (Event& event : *response.mutable_history()->mutable_events()) {
        page_.push_back(std::move(event));
    }
    return absl::OkStatus();
}

absl::Status HistoryReader::fetch_reverse() {
    service::GetWorkflowExecutionHistoryReverseRequest request;
    request.set_namespace_(session_.namespace_name());
    *request.mutable_execution() = read_.execution;
    request.set_next_page_token(page_token_);
    service::GetWorkflowExecutionHistoryReverseResponse response;
    STELE_RETURN_IF_ERROR(
        session_.call_workflow_service("GetWorkflowExecutionHistoryReverse", request, response));
    page_token_ = response.next_page_token();
    for (Event& event : *response.mutable_history()->mutable_events()) {
        page_.push_back(std::move(event));
    }
    return absl::OkStatus();
}

std::string next_run(const Event& event) {
    if (event.has_workflow_execution_continued_as_new_event_attributes()) {
        return event.workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
    }
    if (event.has_workflow_execution_completed_event_attributes()) {
        return event.workflow_execution_completed_event_attributes().new_execution_run_id();
    }
    if (event.has_workflow_execution_failed_event_attributes()) {
        return event.workflow_execution_failed_event_attributes().new_execution_run_id();
    }
    return event.workflow_execution_timed_out_event_attributes().new_execution_run_id();
}

absl::StatusOr<Event> wait_for_close(Session& session, Execution execution) {
    while (true) {
        HistoryReader reader(session, {execution, /*wait=*/true, /*close_only=*/true});
        STELE_ASSIGN_OR_RETURN(std::optional<Event> event, reader.next());
        if (!event) return internal_error("the server told of no event that ends the run");
        const std::string next = next_run(*event);
        if (next.empty()) return *std::move(event);
        execution.set_run_id(next);
    }
}

bool is_close_event(const Event& event) { return !close_status(event).empty(); }

std::string event_name(const Event& event) {
    return camel_case(enums::EventType_Name(event.event_type()), "EVENT_TYPE_");
}

absl::StatusOr<Json> event_to_json(const Session& session, const Event& event) {
    return message_to_json(event, session.payload_style());
}

std::string close_status(const Event& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: return "COMPLETED";
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: return "FAILED";
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: return "TIMEOUT";
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: return "CANCELED";
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: return "TERMINATED";
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: return "CONTINUED_AS_NEW";
        default: return "";
    }
}

void print_result(Session& session, const Event& event, Duration run_time) {
    Printer& printer = session.printer();
    const bool is_completed = event.has_workflow_execution_completed_event_attributes();
    Printer::Fields fields;
    if (run_time > Duration::zero()) fields.emplace_back("RunTime", duration_text(run_time));
    fields.emplace_back(
        "Status", printer.colored(is_completed ? Printer::Color::kGreen : Printer::Color::kRed,
                                  close_status(event)));
    if (is_completed) {
        const auto& result = event.workflow_execution_completed_event_attributes().result();
        fields.emplace_back("Result", payloads_to_json(result).dump());
        if (result.payloads_size() > 0) {
            const auto& metadata = result.payloads(0).metadata();
            const auto encoding = metadata.find("encoding");
            if (encoding != metadata.end()) fields.emplace_back("ResultEncoding", encoding->second);
        }
    }
    if (event.has_workflow_execution_failed_event_attributes()) {
        const auto& attributes = event.workflow_execution_failed_event_attributes();
        fields.emplace_back("Failure", failure_text(attributes.failure()));
    }
    if (event.has_workflow_execution_terminated_event_attributes()) {
        const auto& attributes = event.workflow_execution_terminated_event_attributes();
        fields.emplace_back("Reason", attributes.reason());
    }
    const std::string next = next_run(event);
    fields.emplace_back("NextRunId", next);
    printer.heading("Results:");
    printer.card(fields);
}

absl::Status add_result(const Session& session, const Event& event, Json& json) {
    json["status"] = close_status(event);
    STELE_ASSIGN_OR_RETURN(json["closeEvent"], event_to_json(session, event));
    if (event.has_workflow_execution_completed_event_attributes()) {
        json["result"] =
            payloads_to_json(event.workflow_execution_completed_event_attributes().result());
    }
    return absl::OkStatus();
}

absl::Status result_status(const Event& event) {
    if (event.has_workflow_execution_completed_event_attributes()) return absl::OkStatus();
    return make_error(absl::StatusCode::kAborted,
                      fmt::format("workflow did not complete: {}", close_status(event)));
}

}  // namespace stele::cli
