#include "tests/crash_points/steps.h"

#include "sim/clients.h"
#include "sim/script.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace stele::crash_points {
namespace {

namespace api = temporal::api;
namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

using absl::StatusCode;

constexpr Duration kLook = std::chrono::milliseconds(300);
constexpr int kLooksMax = 400;

template <typename Request>
Request request_for(const std::string& workflow_id) {
    Request request;
    request.set_namespace_(sim::kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    return request;
}

absl::StatusOr<api::workflow::v1::WorkflowExecutionInfo> describe(Trial& trial,
                                                                  const std::string& id,
                                                                  const std::string& run = {}) {
    service::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(sim::kNamespace);
    request.mutable_execution()->set_workflow_id(id);
    request.mutable_execution()->set_run_id(run);
    STELE_ASSIGN_OR_RETURN(const auto told, trial.ask<service::DescribeWorkflowExecutionResponse>(
                                                "DescribeWorkflowExecution", request));
    return told.workflow_execution_info();
}

/// Without a run: the current one.
bool is_open(Trial& trial, const std::string& id, const std::string& run = {}) {
    const auto info = describe(trial, id, run);
    expect(info.status(), "DescribeWorkflowExecution", {StatusCode::kNotFound});
    return info.ok() && (info->status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING ||
                         info->status() == enums::WORKFLOW_EXECUTION_STATUS_PAUSED);
}

/// Who repeats a start after the run has continued is refused, and told of the first run.
std::string run_of_refusal(const absl::Status& status) {
    const std::optional<ErrorDetail> detail = detail_of(status);
    api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure failure;
    if (status.code() != StatusCode::kAlreadyExists || !detail) return {};
    if (!failure.ParseFromString(detail->value)) return {};
    return failure.first_execution_run_id();
}

void note_update(Trial& trial, const service::UpdateWorkflowExecutionResponse& response) {
    const auto& reference = response.update_ref();
    trial.record().updated(reference.workflow_execution().run_id(), reference.update_id(),
                           response.outcome());
}

service::UpdateWorkflowExecutionRequest update_request(const std::string& id,
                                                       const std::string& update_id) {
    auto request = request_for<service::UpdateWorkflowExecutionRequest>(id);
    request.mutable_request()->mutable_meta()->set_update_id(update_id);
    request.mutable_request()->mutable_input()->set_name("step");
    request.mutable_wait_policy()->set_lifecycle_stage(
        enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED);
    return request;
}

}  // namespace

void expect(const absl::Status& status, const std::string& call,
            std::initializer_list<StatusCode> also) {
    if (status.ok() || std::find(also.begin(), also.end(), status.code()) != also.end()) return;
    throw Violation(fmt::format("{} was refused: {} ({})", call, message_of(status),
                                static_cast<int>(status.code())));
}

std::string start(Trial& trial, const std::string& id, const std::string& script,
                  const std::function<void(StartRequest&)>& change) {
    auto request = sim::start_request(id, sim::encode_input(script, "neighbour"));
    if (change) change(request);
    const auto started =
        trial.ask<service::StartWorkflowExecutionResponse>("StartWorkflowExecution", request);
    std::string run = started.ok() ? started->run_id() : run_of_refusal(started.status());
    if (run.empty()) expect(started.status(), "StartWorkflowExecution");
    trial.record().started(id, request.request_id(), run);
    return run;
}

void signal(Trial& trial, const std::string& id, const std::string& value) {
    auto request = request_for<service::SignalWorkflowExecutionRequest>(id);
    request.set_signal_name("step");
    constexpr std::size_t kIdBytes = 40;  // values are told apart by their beginnings
    request.set_request_id("signal-" + value.substr(0, kIdBytes));
    request.mutable_input()->add_payloads()->set_data(value);
    const auto told =
        trial.ask<service::SignalWorkflowExecutionResponse>("SignalWorkflowExecution", request);
    // Refused when it arrived before the crash and has ended the workflow.
    expect(told.status(), "SignalWorkflowExecution", {StatusCode::kNotFound});
    if (told.ok()) trial.record().signalled(id, value);
}

void signal_with_start(Trial& trial, const std::string& id, const std::string& script,
                       const std::string& value) {
    service::SignalWithStartWorkflowExecutionRequest request;
    const auto start = sim::start_request(id, sim::encode_input(script, "neighbour"));
    request.set_namespace_(start.namespace_());
    request.set_workflow_id(id);
    *request.mutable_workflow_type() = start.workflow_type();
    *request.mutable_task_queue() = start.task_queue();
    *request.mutable_input() = start.input();
    request.set_request_id(start.request_id() + value);
    request.set_workflow_id_reuse_policy(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
    request.set_signal_name("step");
    request.mutable_signal_input()->add_payloads()->set_data(value);
    const auto told = trial.ask<service::SignalWithStartWorkflowExecutionResponse>(
        "SignalWithStartWorkflowExecution", request);
    const std::string run = told.ok() ? told->run_id() : run_of_refusal(told.status());
    if (run.empty()) expect(told.status(), "SignalWithStartWorkflowExecution");
    trial.record().started(id, request.request_id(), run);
    if (told.ok()) trial.record().signalled(id, value);
}

void update(Trial& trial, const std::string& id, const std::string& update_id) {
    const auto told = trial.ask<service::UpdateWorkflowExecutionResponse>(
        "UpdateWorkflowExecution", update_request(id, update_id));
    expect(told.status(), "UpdateWorkflowExecution", {StatusCode::kNotFound});
    if (told.ok()) note_update(trial, *told);
}

void update_with_start(Trial& trial, const std::string& id, const std::string& script,
                       const std::string& update_id) {
    service::ExecuteMultiOperationRequest request;
    request.set_namespace_(sim::kNamespace);
    auto& start = *request.add_operations()->mutable_start_workflow();
    start = sim::start_request(id, sim::encode_input(script, "neighbour"));
    start.set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
    *request.add_operations()->mutable_update_workflow() = update_request(id, update_id);
    const auto told =
        trial.ask<service::ExecuteMultiOperationResponse>("ExecuteMultiOperation", request);
    expect(told.status(), "ExecuteMultiOperation");
    trial.record().started(id, start.request_id(), told->responses(0).start_workflow().run_id());
    note_update(trial, told->responses(1).update_workflow());
}

void cancel(Trial& trial, const std::string& id) {
    auto request = request_for<service::RequestCancelWorkflowExecutionRequest>(id);
    request.set_request_id("cancel-" + id);
    expect(trial
               .ask<service::RequestCancelWorkflowExecutionResponse>(
                   "RequestCancelWorkflowExecution", request)
               .status(),
           "RequestCancelWorkflowExecution", {StatusCode::kNotFound});
}

void terminate(Trial& trial, const std::string& id) {
    auto request = request_for<service::TerminateWorkflowExecutionRequest>(id);
    expect(
        trial
            .ask<service::TerminateWorkflowExecutionResponse>("TerminateWorkflowExecution", request)
            .status(),
        "TerminateWorkflowExecution", {StatusCode::kNotFound});
    if (is_open(trial, id)) throw Violation("a termination was acknowledged, and " + id + " runs");
    trial.promise(id + " is terminated", [&trial, id] { return !is_open(trial, id); });
}

void erase(Trial& trial, const std::string& id) {
    const auto request = request_for<service::DeleteWorkflowExecutionRequest>(id);
    // From now on it may be gone, and at the end it must be.
    trial.record().runs.erase(id);
    expect(trial.ask<service::DeleteWorkflowExecutionResponse>("DeleteWorkflowExecution", request)
               .status(),
           "DeleteWorkflowExecution", {StatusCode::kNotFound});
    for (int i = 0; i < kLooksMax; ++i) {
        if (describe(trial, id).status().code() == StatusCode::kNotFound) {
            return trial.promise(id + " is deleted", [&trial, id] {
                return describe(trial, id).status().code() == StatusCode::kNotFound;
            });
        }
        trial.run_for(kLook);
    }
    throw Violation("invariant 17: " + id + " is not deleted");
}

void query(Trial& trial, const std::string& id) {
    service::QueryWorkflowRequest request;
    request.set_namespace_(sim::kNamespace);
    request.mutable_execution()->set_workflow_id(id);
    request.mutable_query()->set_query_type("size");
    expect(trial.ask<service::QueryWorkflowResponse>("QueryWorkflow", request).status(),
           "QueryWorkflow");
}

std::string reset(Trial& trial, const std::string& id, const std::string& run_id) {
    constexpr std::int64_t kFirstCompletedTask = 4;
    auto request = request_for<service::ResetWorkflowExecutionRequest>(id);
    request.mutable_workflow_execution()->set_run_id(run_id);
    request.set_request_id("reset-" + id);
    request.set_workflow_task_finish_event_id(kFirstCompletedTask);
    request.set_reason("a step");
    const auto told =
        trial.ask<service::ResetWorkflowExecutionResponse>("ResetWorkflowExecution", request);
    expect(told.status(), "ResetWorkflowExecution");
    trial.record().was_reset({id, run_id, told->run_id(), kFirstCompletedTask});
    return told->run_id();
}

void await_end(Trial& trial, const std::string& id) {
    for (int i = 0; i < kLooksMax; ++i) {
        const auto info = describe(trial, id);
        if (!is_open(trial, id)) {
            // Of this run: a later one of the same id may be open.
            const std::string run = info.ok() ? info->execution().run_id() : std::string();
            return trial.promise(id + " has ended",
                                 [&trial, id, run] { return !is_open(trial, id, run); });
        }
        trial.run_for(kLook);
        // Nobody is told of reads that fail for workers; somebody sees that nothing goes on.
        if (i == kLooksMax / 2) trial.mend_failed_reads();
    }
    throw Violation("invariant 20: " + id + " does not end");
}

void await_event(Trial& trial, const std::string& id, int type) {
    service::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_(sim::kNamespace);
    request.mutable_execution()->set_workflow_id(id);
    for (int i = 0; i < kLooksMax; ++i) {
        const auto page = trial.ask<service::GetWorkflowExecutionHistoryResponse>(
            "GetWorkflowExecutionHistory", request);
        expect(page.status(), "GetWorkflowExecutionHistory");
        for (const auto& event : page->history().events()) {
            if (event.event_type() == type) return;
        }
        trial.run_for(kLook);
    }
    throw Violation(fmt::format("invariant 20: {} gets no event of type {}", id, type));
}

}  // namespace stele::crash_points
