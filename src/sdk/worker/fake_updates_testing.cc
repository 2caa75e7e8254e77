#include "sdk/worker/fake_server_testing.h"

// The fake server's updates.
namespace stele::testing {

namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;
namespace update_api = temporal::api::update::v1;

namespace {

constexpr auto kAdmitted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;

}  // namespace

void FakeServer::admit(const update_api::Request& request) {
    const auto [found, inserted] = updates_.try_emplace(request.meta().update_id());
    if (!inserted) return;
    found->second.request = request;
    found->second.stage = kAdmitted;
    task_due_ = true;
}

void FakeServer::update(const PendingPointer& call) {
    const auto& request = request_of<api::UpdateWorkflowExecutionRequest>(call).request();
    ++update_calls;
    admit(request);
    update_callers_.emplace_back(call, request.meta().update_id());
    answer_update_callers();
}

void FakeServer::poll_update(const PendingPointer& call) {
    const std::string& id =
        request_of<api::PollWorkflowExecutionUpdateRequest>(call).update_ref().update_id();
    if (!updates_.contains(id)) {
        call->finish({5, "no such update", {}});
        return;
    }
    update_callers_.emplace_back(call, id);
    answer_update_callers();
}

void FakeServer::start_with_update(const PendingPointer& call) {
    const auto& request = request_of<api::ExecuteMultiOperationRequest>(call);
    const auto& start = request.operations(0).start_workflow();
    auto& reply = reply_of<api::ExecuteMultiOperationResponse>(call);
    auto& started = *reply.add_responses()->mutable_start_workflow();
    reply.add_responses();
    started.set_run_id("run");
    started.set_started(!writer_);
    if (!writer_) {
        std::vector<std::string> input;
        for (const auto& payload : start.input().payloads()) input.push_back(payload.data());
        writer_.emplace(start.workflow_type().name(), input);
    }
    const auto& update = request.operations(1).update_workflow().request();
    admit(update);
    update_callers_.emplace_back(call, update.meta().update_id());
    answer_update_callers();
}

void FakeServer::attach_updates(api::PollWorkflowTaskQueueResponse& reply) {
    for (const auto& [id, update] : updates_) {
        if (update.stage != kAdmitted) continue;
        auto& message = *reply.add_messages();
        message.set_id(id + "/request");
        message.set_protocol_instance_id(id);
        message.set_event_id(reply.started_event_id() - 1);
        message.mutable_body()->PackFrom(update.request);
    }
}

std::vector<core::UpdateMessage> FakeServer::read_messages(
    const api::RespondWorkflowTaskCompletedRequest& request) {
    std::vector<core::UpdateMessage> messages;
    for (const auto& message : request.messages()) {
        const std::string& id = message.protocol_instance_id();
        Update& update = updates_.at(id);
        update_api::Acceptance accepted;
        update_api::Rejection rejected;
        update_api::Response response;
        if (message.body().UnpackTo(&accepted)) {
            update.stage = kAccepted;
            messages.push_back({message.id(), id, accepted});
        } else if (message.body().UnpackTo(&rejected)) {
            update.stage = kCompleted;
            *update.outcome.emplace().mutable_failure() = rejected.failure();
            messages.push_back({message.id(), id, rejected});
        } else if (message.body().UnpackTo(&response)) {
            update.stage = kCompleted;
            update.outcome = response.outcome();
            messages.push_back({message.id(), id, response});
        }
    }
    return messages;
}

void FakeServer::answer_update_callers() {
    const auto fill = [](auto& reply, const Update& update, const std::string& id) {
        reply.set_stage(update.stage);
        if (update.outcome) *reply.mutable_outcome() = *update.outcome;
        reply.mutable_update_ref()->set_update_id(id);
        reply.mutable_update_ref()->mutable_workflow_execution()->set_run_id("run");
    };
    for (const auto& [call, id] : std::exchange(update_callers_, {})) {
        const Update& update = updates_.at(id);
        const auto* sent =
            dynamic_cast<const api::UpdateWorkflowExecutionRequest*>(call->request.get());
        const auto* started =
            dynamic_cast<const api::ExecuteMultiOperationRequest*>(call->request.get());
        const auto wanted =
            sent != nullptr ? sent->wait_policy().lifecycle_stage()
            : started != nullptr
                ? started->operations(1).update_workflow().wait_policy().lifecycle_stage()
                : kCompleted;
        if (update.stage < wanted && impatient_answers == 0) {
            update_callers_.emplace_back(call, id);
            continue;
        }
        if (update.stage < wanted) --impatient_answers;
        if (sent != nullptr)
            fill(reply_of<api::UpdateWorkflowExecutionResponse>(call), update, id);
        else if (started != nullptr)
            fill(*reply_of<api::ExecuteMultiOperationResponse>(call)
                      .mutable_responses(1)
                      ->mutable_update_workflow(),
                 update, id);
        else
            fill(reply_of<api::PollWorkflowExecutionUpdateResponse>(call), update, id);
        call->finish();
    }
}

}  // namespace stele::testing
