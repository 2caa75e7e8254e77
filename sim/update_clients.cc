#include "sim/update_clients.h"

#include "base/probe.h"
#include "sim/sdk_clients.h"
#include "sim/worker.h"

#include <fmt/format.h>

#include <utility>

namespace stele::sim {
namespace {

namespace api = temporal::api;
namespace enums = temporal::api::enums::v1;
namespace service = temporal::api::workflowservice::v1;

/// Longer than the server waits, so that it says how far the update has come.
constexpr Duration kCallTimeout = std::chrono::seconds(25);
constexpr Duration kPause = std::chrono::milliseconds(300);
constexpr char kKinds[] = "ral";

service::UpdateWorkflowExecutionRequest update_request(const std::string& workflow_id,
                                                       const std::string& update_id) {
    service::UpdateWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(workflow_id);
    auto& update = *request.mutable_request();
    update.mutable_meta()->set_update_id(update_id);
    update.mutable_input()->set_name("step");
    *update.mutable_input()->mutable_args()->add_payloads() = json_payload(update_id);
    request.mutable_wait_policy()->set_lifecycle_stage(
        enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
    return request;
}

}  // namespace

void UpdateClients::update(const std::string& workflow_id) {
    const std::uint64_t count = network_.random().next() % 4;
    for (std::uint64_t i = 0; i < count; ++i) {
        const char kind = kKinds[network_.random().next() % (sizeof(kKinds) - 1)];
        UpdateRequest request =
            update_request(workflow_id, fmt::format("{}-{}-{}", kind, workflow_id, i));
        if (network_.random().next() % 2 == 0) {
            request.mutable_wait_policy()->set_lifecycle_stage(
                enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED);
        }
        ++open_calls_;
        const auto when = std::chrono::milliseconds(network_.random().next() % 8'000);
        network_.after(when, [this, request] { send(request, [] {}); });
    }
}

void UpdateClients::update_now(const std::string& workflow_id, std::function<void()> answered) {
    ++open_calls_;
    send(update_request(workflow_id, "a-" + workflow_id), std::move(answered));
}

void UpdateClients::send(const UpdateRequest& request, std::function<void()> answered) {
    using Response = service::UpdateWorkflowExecutionResponse;
    record_.hastened[request.workflow_execution().workflow_id()].push_back(network_.now());
    if (STELE_FAULT("client.updates-twice")) {
        network_.call("UpdateWorkflowExecution", request, kCallTimeout,
                      [](absl::StatusOr<std::string>) {});
    }
    if (STELE_FAULT("client.abandons-update")) {
        const auto call = network_.call("UpdateWorkflowExecution", request, kCallTimeout,
                                        [](absl::StatusOr<std::string>) {});
        network_.after(std::chrono::milliseconds(20), [this, call] { network_.abandon(call); });
    }
    network_.call<Response>(
        "UpdateWorkflowExecution", request, kCallTimeout,
        [this, request, answered = std::move(answered)](absl::StatusOr<Response> response) {
            const bool again =
                response.ok()
                    ? response->stage() < enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
                    : is_uncertain(response.status());
            if (again) {
                return network_.after(kPause,
                                      [this, request, answered] { send(request, answered); });
            }
            --open_calls_;
            // Any other error: the workflow has closed, or its task keeps failing.
            if (!response.ok()) return;
            const auto& reference = response->update_ref();
            record_.updated(reference.workflow_execution().run_id(), reference.update_id(),
                            response->outcome());
            answered();
            if (response->has_outcome()) return;
            ++open_calls_;
            poll(reference);
        });
}

void UpdateClients::poll(const api::update::v1::UpdateRef& update) {
    service::PollWorkflowExecutionUpdateRequest request;
    request.set_namespace_(kNamespace);
    *request.mutable_update_ref() = update;
    request.mutable_wait_policy()->set_lifecycle_stage(
        enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
    using Response = service::PollWorkflowExecutionUpdateResponse;
    network_.call<Response>(
        "PollWorkflowExecutionUpdate", request, kCallTimeout,
        [this, update](absl::StatusOr<Response> response) {
            const bool again =
                response.ok() ? !response->has_outcome() : is_uncertain(response.status());
            if (again) return network_.after(kPause, [this, update] { poll(update); });
            --open_calls_;
            if (response.ok()) {
                return record_.updated(update.workflow_execution().run_id(), update.update_id(),
                                       response->outcome());
            }
            record_.violation(fmt::format("invariant 13: update {} was accepted, and then: {}",
                                          update.update_id(), message_of(response.status())));
        });
}

}  // namespace stele::sim
