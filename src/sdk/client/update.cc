#include "stele/update.h"

#include <utility>

#include "google/rpc/status.pb.h"
#include "sdk/client/client_core.h"
#include "sdk/client/deadline.h"
#include "sdk/client/requests.h"
#include "sdk/data/codec.h"
#include "sdk/data/convert.h"
#include "stele/client.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

namespace {

using Stage = enums::UpdateWorkflowExecutionLifecycleStage;
using temporal::api::update::v1::Outcome;

constexpr char kTooLate[] = "the update has not come as far as asked for in time";

Stage to_stage(UpdateStage stage) { return static_cast<Stage>(static_cast<int>(stage)); }

api::UpdateWorkflowExecutionRequest make_request(const sdk::ClientCore& core,
                                                 const std::string& workflow_id,
                                                 std::string_view update,
                                                 const UpdateOptions& options, Payloads arguments) {
    api::UpdateWorkflowExecutionRequest request;
    request.set_namespace_(core.namespace_name());
    request.mutable_wait_policy()->set_lifecycle_stage(to_stage(options.wait));
    auto& body = *request.mutable_request();
    body.mutable_meta()->set_update_id(options.id.empty() ? core.new_uuid() : options.id);
    body.mutable_meta()->set_identity(core.identity());
    body.mutable_input()->set_name(std::string(update));
    *body.mutable_input()->mutable_args() = sdk::to_message(std::move(arguments));
    sdk::intercept_client_call(core,
                               {InterceptedCall::Kind::kUpdate, std::string(update), workflow_id},
                               [&] { return body.mutable_input()->mutable_header(); });
    return request;
}

/// Asks until the update has an outcome.
Outcome poll_outcome(const sdk::ClientCore& core, const UntypedUpdateHandle& handle,
                     const sdk::Deadline& deadline) {
    api::PollWorkflowExecutionUpdateRequest request;
    request.set_namespace_(core.namespace_name());
    request.set_identity(core.identity());
    auto& reference = *request.mutable_update_ref();
    reference.mutable_workflow_execution()->set_workflow_id(handle.workflow_id());
    reference.mutable_workflow_execution()->set_run_id(handle.run_id());
    reference.set_update_id(handle.id());
    request.mutable_wait_policy()->set_lifecycle_stage(to_stage(UpdateStage::kCompleted));
    for (;;) {
        auto reply = core.call<api::PollWorkflowExecutionUpdateResponse>(
            "PollWorkflowExecutionUpdate", request, deadline.long_poll(kTooLate));
        sdk::decode_incoming(core.converter(), reply, core.context_of(handle.workflow_id()));
        if (reply.has_outcome()) return std::move(*reply.mutable_outcome());
    }
}

/// Sends it until it has come as far as asked for: the server may answer earlier, and takes the same
/// id for the same update.
api::UpdateWorkflowExecutionResponse send_update(const sdk::ClientCore& core,
                                                 const api::UpdateWorkflowExecutionRequest& request,
                                                 const sdk::Deadline& deadline) {
    for (;;) {
        auto reply = core.call<api::UpdateWorkflowExecutionResponse>(
            "UpdateWorkflowExecution", request, deadline.long_poll(kTooLate));
        if (reply.has_outcome() || reply.stage() >= request.wait_policy().lifecycle_stage())
            return reply;
    }
}

}  // namespace

UpdateFailedError::UpdateFailedError(std::string update_id,
                                     std::shared_ptr<const FailureError> cause)
    : Error("update " + update_id + " failed: " + cause->what()),
      update_id_(std::move(update_id)),
      cause_(std::move(cause)) {}

void UntypedUpdateHandle::set_outcome(const Outcome& outcome) {
    auto known = std::make_shared<Known>();
    if (outcome.has_failure())
        known->failure = failure_to_error(outcome.failure());
    else
        known->result = sdk::to_vector(outcome.success());
    known_ = std::move(known);
}

Payloads UntypedUpdateHandle::result_payloads(Milliseconds timeout) const {
    UntypedUpdateHandle asked = *this;
    if (!asked.known_)
        asked.set_outcome(poll_outcome(*core_, *this, sdk::Deadline(*core_->runtime(), timeout)));
    if (asked.known_->failure) throw UpdateFailedError(id_, asked.known_->failure);
    return asked.known_->result;
}

UntypedUpdateHandle UntypedHandle::start_update_payloads(std::string_view name,
                                                         const UpdateOptions& options,
                                                         Payloads arguments) const {
    auto request = make_request(*core_, workflow_id_, name, options, std::move(arguments));
    *request.mutable_workflow_execution() = sdk::chain_of(*this);
    request.set_first_execution_run_id(first_run_id_);
    core_->encode(request, core_->context_of(workflow_id_));
    auto reply = send_update(*core_, request, sdk::Deadline(*core_->runtime(), options.timeout));
    sdk::decode_incoming(core_->converter(), reply, core_->context_of(workflow_id_));
    UntypedUpdateHandle handle(core_, workflow_id_,
                               reply.update_ref().workflow_execution().run_id(),
                               request.request().meta().update_id());
    if (reply.has_outcome()) handle.set_outcome(reply.outcome());
    return handle;
}

UntypedUpdateHandle UntypedHandle::untyped_update_handle(std::string update_id) const {
    return UntypedUpdateHandle(core_, workflow_id_, run_id_, std::move(update_id));
}

namespace {

/// The error of the operation that failed, in place of the one that says that something did.
[[noreturn]] void throw_operation_failure(const Transport::Status& status,
                                          const std::string& workflow_id) {
    using temporal::api::failure::v1::MultiOperationExecutionAborted;
    temporal::api::errordetails::v1::MultiOperationExecutionFailure failure;
    if (sdk::unpack_detail(status, failure)) {
        for (const auto& operation : failure.statuses()) {
            const bool aborted = !operation.details().empty() &&
                                 operation.details(0).Is<MultiOperationExecutionAborted>();
            if (operation.code() == 0 || aborted) continue;
            google::rpc::Status packed;
            packed.set_code(operation.code());
            packed.set_message(operation.message());
            *packed.mutable_details() = operation.details();
            sdk::throw_status({operation.code(), operation.message(), packed.SerializeAsString()},
                              workflow_id);
        }
    }
    sdk::throw_status(status, workflow_id);
}

}  // namespace

UntypedUpdateHandle UntypedWithStart::start_update_payloads(std::string_view name,
                                                            const UpdateOptions& options,
                                                            Payloads arguments) {
    const sdk::Deadline deadline(*core_->runtime(), options.timeout);
    api::ExecuteMultiOperationRequest request;
    request.set_namespace_(core_->namespace_name());
    auto& start = *request.add_operations()->mutable_start_workflow();
    start =
        sdk::make_start<api::StartWorkflowExecutionRequest>(*core_, type_, options_, arguments_);
    const std::string workflow_id = start.workflow_id();
    request.set_resource_id(workflow_id);
    auto& update = *request.add_operations()->mutable_update_workflow();
    update = make_request(*core_, workflow_id, name, options, std::move(arguments));
    update.mutable_workflow_execution()->set_workflow_id(workflow_id);
    core_->encode(request, core_->context_of(workflow_id));

    auto reply = std::make_shared<api::ExecuteMultiOperationResponse>();
    const Transport::Status status = core_->try_call(
        "ExecuteMultiOperation", std::make_shared<api::ExecuteMultiOperationRequest>(request),
        reply, deadline.long_poll(kTooLate));
    if (!status.ok()) throw_operation_failure(status, workflow_id);
    if (reply->responses_size() != 2)
        throw Error("the server has not answered both parts of an update-with-start");
    const std::string run_id = reply->responses(0).start_workflow().run_id();
    started_.emplace(core_, workflow_id, run_id,
                     reply->responses(0).start_workflow().started() ? run_id : std::string());

    auto& answer = *reply->mutable_responses(1)->mutable_update_workflow();
    // The server's patience may have ended before the update came as far as asked for.
    if (!answer.has_outcome() && answer.stage() < update.wait_policy().lifecycle_stage()) {
        update.mutable_workflow_execution()->set_run_id(run_id);
        answer = send_update(*core_, update, deadline);
    }
    sdk::decode_incoming(core_->converter(), answer, core_->context_of(workflow_id));
    UntypedUpdateHandle handle(core_, workflow_id, run_id, update.request().meta().update_id());
    if (answer.has_outcome()) handle.set_outcome(answer.outcome());
    return handle;
}

const UntypedHandle& UntypedWithStart::started() const {
    if (!started_)
        throw IllegalCallError("there is no workflow yet: send the update that starts it first");
    return *started_;
}

}  // namespace stele
