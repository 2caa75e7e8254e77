#include <utility>

#include "sdk/client/client_core.h"
#include "sdk/client/deadline.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "stele/client.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// The result of a workflow is its close event, which the server hands out as soon as it exists.
namespace stele {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;
using temporal::api::failure::v1::Failure;
using temporal::api::history::v1::HistoryEvent;

namespace {

/// How one run ended.
struct Ending {
    std::string next_run_id;
    Payloads result;
    std::optional<Failure> failure;
};

Failure canceled(const HistoryEvent& event) {
    Failure failure;
    failure.set_message("workflow canceled");
    *failure.mutable_canceled_failure_info()->mutable_details() =
        event.workflow_execution_canceled_event_attributes().details();
    return failure;
}

Failure terminated(const HistoryEvent& event) {
    const auto& attributes = event.workflow_execution_terminated_event_attributes();
    Failure failure;
    failure.set_message(attributes.reason());
    failure.mutable_terminated_failure_info()->set_identity(attributes.identity());
    return failure;
}

Failure timed_out() {
    Failure failure;
    failure.set_message("workflow timed out");
    failure.mutable_timeout_failure_info()->set_timeout_type(enums::TIMEOUT_TYPE_START_TO_CLOSE);
    return failure;
}

Ending read_ending(const HistoryEvent& event) {
    Ending ending;
    switch (event.event_type()) {
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
            const auto& attributes = event.workflow_execution_completed_event_attributes();
            ending.next_run_id = attributes.new_execution_run_id();
            ending.result = sdk::to_vector(attributes.result());
            return ending;
        }
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
            const auto& attributes = event.workflow_execution_failed_event_attributes();
            ending.next_run_id = attributes.new_execution_run_id();
            ending.failure = attributes.failure();
            return ending;
        }
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
            ending.next_run_id =
                event.workflow_execution_timed_out_event_attributes().new_execution_run_id();
            ending.failure = timed_out();
            return ending;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
            ending.failure = canceled(event);
            return ending;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
            ending.failure = terminated(event);
            return ending;
        case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            ending.next_run_id =
                event.workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
            ending.failure.emplace();
            ending.failure->set_message("the run continued as new");
            return ending;
        default:
            throw Error("the server answered with an event that ends nothing: " +
                        enums::EventType_Name(event.event_type()));
    }
}

/// Asks until the run has ended. The server answers a long poll with an empty page when its
/// patience is over.
HistoryEvent wait_for_close_event(const sdk::ClientCore& core, const std::string& workflow_id,
                                  const std::string& run_id, const sdk::Deadline& deadline) {
    api::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(core.namespace_name());
    request.mutable_execution()->set_workflow_id(workflow_id);
    request.mutable_execution()->set_run_id(run_id);
    request.set_wait_new_event(true);
    request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
    request.set_skip_archival(true);
    for (;;) {
        auto reply = core.call<api::GetWorkflowExecutionHistoryResponse>(
            "GetWorkflowExecutionHistory", request,
            deadline.long_poll("the workflow has not ended in time"));
        sdk::decode_incoming(core.converter(), reply, core.context_of(workflow_id));
        if (!reply.history().events().empty())
            return reply.history().events(reply.history().events_size() - 1);
        request.set_next_page_token(reply.next_page_token());
    }
}

}  // namespace

Payloads UntypedHandle::result_payloads(const ResultOptions& options) const {
    const sdk::Deadline deadline(*core_->runtime(), options.timeout);
    std::string run_id = run_id_;
    for (;;) {
        const Ending ending =
            read_ending(wait_for_close_event(*core_, workflow_id_, run_id, deadline));
        if (options.follow_runs && !ending.next_run_id.empty()) {
            run_id = ending.next_run_id;
            continue;
        }
        if (!ending.failure) return ending.result;
        throw WorkflowFailedError(workflow_id_, run_id, failure_to_error(*ending.failure));
    }
}

}  // namespace stele
