#include "stele/async_activity.h"

#include <utility>

#include "sdk/client/client_core.h"
#include "sdk/data/convert.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele {

namespace api = temporal::api::workflowservice::v1;

namespace {

const char* describe(ActivityStoppedError::Reason reason) {
    switch (reason) {
        case ActivityStoppedError::Reason::kPaused: return "the activity is paused";
        case ActivityStoppedError::Reason::kReset: return "the activity has been reset";
        default: return "the cancellation of the activity has been asked for";
    }
}

template <class Reply, class Request>
Reply send(const sdk::ClientCore& core, const char* method, Request& request) {
    SerializationContext context = core.context_of({});
    if constexpr (requires { request.activity_id(); }) {
        context.workflow_id = request.workflow_id();
        context.activity_id = request.activity_id();
    }
    core.encode(request, context);
    return core.call<Reply>(method, request);
}

template <class Reply>
void check_stop(const Reply& reply) {
    using Reason = ActivityStoppedError::Reason;
    if (reply.cancel_requested()) throw ActivityStoppedError(Reason::kCancelRequested);
    if (reply.activity_paused()) throw ActivityStoppedError(Reason::kPaused);
    if (reply.activity_reset()) throw ActivityStoppedError(Reason::kReset);
}

}  // namespace

ActivityStoppedError::ActivityStoppedError(Reason reason)
    : Error(describe(reason)), reason_(reason) {}

AsyncActivityHandle::AsyncActivityHandle(std::shared_ptr<sdk::ClientCore> core,
                                         std::string task_token)
    : core_(std::move(core)), task_token_(std::move(task_token)) {
    if (task_token_.empty()) throw IllegalCallError("a task token is never empty");
}

AsyncActivityHandle::AsyncActivityHandle(std::shared_ptr<sdk::ClientCore> core,
                                         std::string workflow_id, std::string run_id,
                                         std::string activity_id)
    : core_(std::move(core)),
      workflow_id_(std::move(workflow_id)),
      run_id_(std::move(run_id)),
      activity_id_(std::move(activity_id)) {}

template <class Request>
Request AsyncActivityHandle::make() const {
    Request request;
    request.set_namespace_(core_->namespace_name());
    request.set_identity(core_->identity());
    if constexpr (requires { request.set_task_token(task_token_); }) {
        request.set_task_token(task_token_);
    } else {
        request.set_workflow_id(workflow_id_);
        request.set_run_id(run_id_);
        request.set_activity_id(activity_id_);
    }
    return request;
}

void AsyncActivityHandle::complete_payloads(Payloads result) const {
    if (!task_token_.empty()) {
        auto request = make<api::RespondActivityTaskCompletedRequest>();
        *request.mutable_result() = sdk::to_message(std::move(result));
        (void)send<api::RespondActivityTaskCompletedResponse>(
            *core_, "RespondActivityTaskCompleted", request);
        return;
    }
    auto request = make<api::RespondActivityTaskCompletedByIdRequest>();
    *request.mutable_result() = sdk::to_message(std::move(result));
    (void)send<api::RespondActivityTaskCompletedByIdResponse>(
        *core_, "RespondActivityTaskCompletedById", request);
}

void AsyncActivityHandle::fail(const FailureError& error) const {
    if (!task_token_.empty()) {
        auto request = make<api::RespondActivityTaskFailedRequest>();
        *request.mutable_failure() = error.proto();
        (void)send<api::RespondActivityTaskFailedResponse>(*core_, "RespondActivityTaskFailed",
                                                           request);
        return;
    }
    auto request = make<api::RespondActivityTaskFailedByIdRequest>();
    *request.mutable_failure() = error.proto();
    (void)send<api::RespondActivityTaskFailedByIdResponse>(*core_, "RespondActivityTaskFailedById",
                                                           request);
}

void AsyncActivityHandle::report_cancellation_payloads(Payloads details) const {
    if (!task_token_.empty()) {
        auto request = make<api::RespondActivityTaskCanceledRequest>();
        *request.mutable_details() = sdk::to_message(std::move(details));
        (void)send<api::RespondActivityTaskCanceledResponse>(*core_, "RespondActivityTaskCanceled",
                                                             request);
        return;
    }
    auto request = make<api::RespondActivityTaskCanceledByIdRequest>();
    *request.mutable_details() = sdk::to_message(std::move(details));
    (void)send<api::RespondActivityTaskCanceledByIdResponse>(
        *core_, "RespondActivityTaskCanceledById", request);
}

void AsyncActivityHandle::heartbeat_payloads(Payloads details) const {
    if (!task_token_.empty()) {
        auto request = make<api::RecordActivityTaskHeartbeatRequest>();
        *request.mutable_details() = sdk::to_message(std::move(details));
        check_stop(send<api::RecordActivityTaskHeartbeatResponse>(
            *core_, "RecordActivityTaskHeartbeat", request));
        return;
    }
    auto request = make<api::RecordActivityTaskHeartbeatByIdRequest>();
    *request.mutable_details() = sdk::to_message(std::move(details));
    check_stop(send<api::RecordActivityTaskHeartbeatByIdResponse>(
        *core_, "RecordActivityTaskHeartbeatById", request));
}

}  // namespace stele
