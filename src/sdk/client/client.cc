#include "stele/client.h"

#include <utility>

#include "sdk/client/client_core.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

namespace {

/// What a start and a signal-with-start have in common.
template <class Request>
Request make_start(const sdk::ClientCore& core, std::string_view type, const StartOptions& options,
                   Payloads arguments) {
    Request request;
    request.set_namespace_(core.namespace_name());
    request.set_workflow_id(options.id.empty() ? core.new_uuid() : options.id);
    request.mutable_workflow_type()->set_name(std::string(type));
    request.mutable_task_queue()->set_name(options.task_queue);
    *request.mutable_input() = sdk::to_message(std::move(arguments));
    if (options.execution_timeout.count() > 0)
        *request.mutable_workflow_execution_timeout() = sdk::to_duration(options.execution_timeout);
    if (options.run_timeout.count() > 0)
        *request.mutable_workflow_run_timeout() = sdk::to_duration(options.run_timeout);
    if (options.task_timeout.count() > 0)
        *request.mutable_workflow_task_timeout() = sdk::to_duration(options.task_timeout);
    if (options.start_delay.count() > 0)
        *request.mutable_workflow_start_delay() = sdk::to_duration(options.start_delay);
    request.set_identity(core.identity());
    request.set_request_id(core.new_uuid());
    request.set_workflow_id_reuse_policy(
        static_cast<enums::WorkflowIdReusePolicy>(static_cast<int>(options.id_reuse)));
    request.set_workflow_id_conflict_policy(
        static_cast<enums::WorkflowIdConflictPolicy>(static_cast<int>(options.id_conflict)));
    if (options.retry) *request.mutable_retry_policy() = sdk::to_message(*options.retry);
    request.set_cron_schedule(options.cron_schedule);
    for (const auto& [key, value] : options.memo)
        (*request.mutable_memo()->mutable_fields())[key] = value;
    for (const auto& [key, value] : options.search_attributes)
        (*request.mutable_search_attributes()->mutable_indexed_fields())[key] = value;
    if (!options.static_summary.empty())
        *request.mutable_user_metadata()->mutable_summary() =
            sdk::json_string(options.static_summary);
    if (!options.static_details.empty())
        *request.mutable_user_metadata()->mutable_details() =
            sdk::json_string(options.static_details);
    return request;
}

template <class Reply, class Request>
std::string send_start(const sdk::ClientCore& core, const char* method, Request& request) {
    sdk::encode_outgoing(core.converter(), request);
    try {
        return core.call<Reply>(method, request).run_id();
    } catch (const WorkflowAlreadyStartedError& error) {
        throw WorkflowAlreadyStartedError(error.what(), request.workflow_id(), error.run_id());
    }
}

temporal::api::common::v1::WorkflowExecution execution(const UntypedHandle& handle) {
    temporal::api::common::v1::WorkflowExecution message;
    message.set_workflow_id(handle.workflow_id());
    message.set_run_id(handle.run_id());
    return message;
}

// A handle that came from a start means that chain of runs, whichever run is current by now.
temporal::api::common::v1::WorkflowExecution chain(const UntypedHandle& handle) {
    auto message = execution(handle);
    if (!handle.first_run_id().empty()) message.clear_run_id();
    return message;
}

}  // namespace

Client Client::connect(ClientOptions options) {
    const bool lazy = options.lazy;
    auto core = std::make_shared<sdk::ClientCore>(std::move(options));
    if (!lazy)
        (void)core->call<api::GetSystemInfoResponse>("GetSystemInfo", api::GetSystemInfoRequest());
    return Client(std::move(core));
}

UntypedHandle Client::start_payloads(std::string_view type, const StartOptions& options,
                                     Payloads arguments, std::string_view signal,
                                     Payloads signal_arguments) {
    if (signal.empty()) {
        auto request = make_start<api::StartWorkflowExecutionRequest>(*core_, type, options,
                                                                      std::move(arguments));
        const std::string run_id = send_start<api::StartWorkflowExecutionResponse>(
            *core_, "StartWorkflowExecution", request);
        return UntypedHandle(core_, request.workflow_id(), run_id, run_id);
    }
    auto request = make_start<api::SignalWithStartWorkflowExecutionRequest>(*core_, type, options,
                                                                            std::move(arguments));
    request.set_signal_name(std::string(signal));
    *request.mutable_signal_input() = sdk::to_message(std::move(signal_arguments));
    const std::string run_id = send_start<api::SignalWithStartWorkflowExecutionResponse>(
        *core_, "SignalWithStartWorkflowExecution", request);
    return UntypedHandle(core_, request.workflow_id(), run_id, {});
}

void UntypedHandle::signal_payloads(std::string_view name, Payloads arguments) const {
    api::SignalWorkflowExecutionRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_workflow_execution() = chain(*this);
    request.set_signal_name(std::string(name));
    *request.mutable_input() = sdk::to_message(std::move(arguments));
    request.set_identity(core_->identity());
    request.set_request_id(core_->new_uuid());
    sdk::encode_outgoing(core_->converter(), request);
    (void)core_->call<api::SignalWorkflowExecutionResponse>("SignalWorkflowExecution", request);
}

Payloads UntypedHandle::query_payloads(std::string_view name, Payloads arguments,
                                       const QueryOptions& options) const {
    api::QueryWorkflowRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_execution() = chain(*this);
    request.mutable_query()->set_query_type(std::string(name));
    *request.mutable_query()->mutable_query_args() = sdk::to_message(std::move(arguments));
    request.set_query_reject_condition(
        static_cast<enums::QueryRejectCondition>(static_cast<int>(options.reject)));
    sdk::encode_outgoing(core_->converter(), request);
    auto reply = core_->call<api::QueryWorkflowResponse>("QueryWorkflow", request);
    if (reply.has_query_rejected())
        throw QueryRejectedError(
            "the query was rejected: the workflow's status is " +
            enums::WorkflowExecutionStatus_Name(reply.query_rejected().status()));
    sdk::decode_incoming(core_->converter(), reply);
    return sdk::to_vector(reply.query_result());
}

void UntypedHandle::cancel(std::string_view reason) const {
    api::RequestCancelWorkflowExecutionRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_workflow_execution() = chain(*this);
    request.set_first_execution_run_id(first_run_id_);
    request.set_identity(core_->identity());
    request.set_request_id(core_->new_uuid());
    request.set_reason(std::string(reason));
    (void)core_->call<api::RequestCancelWorkflowExecutionResponse>("RequestCancelWorkflowExecution",
                                                                   request);
}

void UntypedHandle::terminate(std::string_view reason) const {
    api::TerminateWorkflowExecutionRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_workflow_execution() = chain(*this);
    request.set_first_execution_run_id(first_run_id_);
    request.set_identity(core_->identity());
    request.set_reason(std::string(reason));
    (void)core_->call<api::TerminateWorkflowExecutionResponse>("TerminateWorkflowExecution",
                                                               request);
}

WorkflowDescription UntypedHandle::describe() const {
    api::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_execution() = execution(*this);
    auto reply =
        core_->call<api::DescribeWorkflowExecutionResponse>("DescribeWorkflowExecution", request);
    sdk::decode_incoming(core_->converter(), reply);
    const auto& info = reply.workflow_execution_info();
    WorkflowDescription description;
    description.workflow_id = info.execution().workflow_id();
    description.run_id = info.execution().run_id();
    description.first_run_id = info.first_run_id();
    description.type = info.type().name();
    description.task_queue = info.task_queue();
    description.status = static_cast<WorkflowStatus>(static_cast<int>(info.status()));
    description.start_time = sdk::from_timestamp(info.start_time());
    if (info.has_close_time()) description.close_time = sdk::from_timestamp(info.close_time());
    description.history_length = info.history_length();
    description.pending_activities = reply.pending_activities_size();
    description.memo.insert(info.memo().fields().begin(), info.memo().fields().end());
    description.search_attributes.insert(info.search_attributes().indexed_fields().begin(),
                                         info.search_attributes().indexed_fields().end());
    return description;
}

}  // namespace stele
