#include "stele/client.h"

#include <utility>

#include "sdk/client/client_core.h"
#include "sdk/client/requests.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "sdk/data/versioning.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

namespace {

template <class Reply, class Request>
Reply send_start(const sdk::ClientCore& core, const char* method, Request& request) {
    core.encode(request, core.context_of(request.workflow_id()));
    try {
        return core.call<Reply>(method, request);
    } catch (const WorkflowAlreadyStartedError& error) {
        throw WorkflowAlreadyStartedError(error.what(), request.workflow_id(), error.run_id());
    }
}

/// Null: nobody is to be asked.
std::shared_ptr<sdk::EagerWorker> take_eager_worker(const sdk::ClientCore& core,
                                                    const StartOptions& options) {
    if (!options.eager || !options.cron_schedule.empty() || options.start_delay.count() > 0)
        return nullptr;
    return core.eager_workers().take_slot(options.task_queue);
}

/// The first call shows whether there is a server, and is where most wrong settings come out.
void greet(const sdk::ClientCore& core) {
    auto reply = std::make_shared<api::GetSystemInfoResponse>();
    const Transport::Status status =
        core.try_call("GetSystemInfo", std::make_shared<api::GetSystemInfoRequest>(), reply,
                      sdk::default_retries());
    if (status.ok()) return;
    const ClientOptions& options = core.options();
    throw RpcError(status.code, "cannot connect to " + options.address +
                                    (options.use_tls ? " with TLS: " : " without TLS: ") +
                                    status.message);
}

}  // namespace

Client Client::connect(ClientOptions options) {
    auto core = std::make_shared<sdk::ClientCore>(std::move(options));
    if (!core->options().lazy) greet(*core);
    return Client(std::move(core));
}

UntypedHandle Client::start_payloads(std::string_view type, const StartOptions& options,
                                     Payloads arguments, std::string_view signal,
                                     Payloads signal_arguments) const {
    if (signal.empty()) {
        auto request = sdk::make_start<api::StartWorkflowExecutionRequest>(*core_, type, options,
                                                                           std::move(arguments));
        sdk::EagerStart eager(take_eager_worker(*core_, options), request);
        auto reply = send_start<api::StartWorkflowExecutionResponse>(
            *core_, "StartWorkflowExecution", request);
        eager.receive(reply);
        return UntypedHandle(core_, request.workflow_id(), reply.run_id(), reply.run_id());
    }
    auto request = sdk::make_start<api::SignalWithStartWorkflowExecutionRequest>(
        *core_, type, options, std::move(arguments));
    request.set_signal_name(std::string(signal));
    *request.mutable_signal_input() = sdk::to_message(std::move(signal_arguments));
    const auto reply = send_start<api::SignalWithStartWorkflowExecutionResponse>(
        *core_, "SignalWithStartWorkflowExecution", request);
    return UntypedHandle(core_, request.workflow_id(), reply.run_id(), {});
}

void UntypedHandle::signal_payloads(std::string_view name, Payloads arguments) const {
    api::SignalWorkflowExecutionRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_workflow_execution() = sdk::chain_of(*this);
    request.set_signal_name(std::string(name));
    *request.mutable_input() = sdk::to_message(std::move(arguments));
    sdk::intercept_client_call(*core_,
                               {InterceptedCall::Kind::kSignal, std::string(name), workflow_id_},
                               [&] { return request.mutable_header(); });
    request.set_identity(core_->identity());
    request.set_request_id(core_->new_uuid());
    core_->encode(request, core_->context_of(workflow_id_));
    (void)core_->call<api::SignalWorkflowExecutionResponse>("SignalWorkflowExecution", request);
}

Payloads UntypedHandle::query_payloads(std::string_view name, Payloads arguments,
                                       const QueryOptions& options) const {
    api::QueryWorkflowRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_execution() = sdk::chain_of(*this);
    request.mutable_query()->set_query_type(std::string(name));
    *request.mutable_query()->mutable_query_args() = sdk::to_message(std::move(arguments));
    sdk::intercept_client_call(*core_,
                               {InterceptedCall::Kind::kQuery, std::string(name), workflow_id_},
                               [&] { return request.mutable_query()->mutable_header(); });
    request.set_query_reject_condition(
        static_cast<enums::QueryRejectCondition>(static_cast<int>(options.reject)));
    core_->encode(request, core_->context_of(workflow_id_));
    auto reply = core_->call<api::QueryWorkflowResponse>("QueryWorkflow", request);
    if (reply.has_query_rejected())
        throw QueryRejectedError(
            "the query was rejected: the workflow's status is " +
            enums::WorkflowExecutionStatus_Name(reply.query_rejected().status()));
    sdk::decode_incoming(core_->converter(), reply, core_->context_of(workflow_id_));
    return sdk::to_vector(reply.query_result());
}

void UntypedHandle::cancel(std::string_view reason) const {
    api::RequestCancelWorkflowExecutionRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_workflow_execution() = sdk::chain_of(*this);
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
    *request.mutable_workflow_execution() = sdk::chain_of(*this);
    request.set_first_execution_run_id(first_run_id_);
    request.set_identity(core_->identity());
    request.set_reason(std::string(reason));
    (void)core_->call<api::TerminateWorkflowExecutionResponse>("TerminateWorkflowExecution",
                                                               request);
}

void UntypedHandle::set_versioning_override(const std::optional<VersioningOverride>& wanted) const {
    api::UpdateWorkflowExecutionOptionsRequest request;
    request.set_namespace_(core_->namespace_name());
    *request.mutable_workflow_execution() = sdk::chain_of(*this);
    request.set_identity(core_->identity());
    request.mutable_update_mask()->add_paths("versioning_override");
    auto& options = *request.mutable_workflow_execution_options();
    if (wanted) *options.mutable_versioning_override() = sdk::to_message(*wanted);
    (void)core_->call<api::UpdateWorkflowExecutionOptionsResponse>("UpdateWorkflowExecutionOptions",
                                                                   request);
}

}  // namespace stele
