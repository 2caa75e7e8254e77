#include "frontend/poll_responses.h"
#include "frontend/services.h"
#include "frontend/start_response.h"
#include "frontend/validation.h"

// Starting workflows.
namespace stele::frontend {
namespace {

using StartResponse = service::StartWorkflowExecutionResponse;

/// The namespace must know the search attributes that a run is to begin with. What is stored says
/// their types, as clients expect to read them.
template <typename Request>
absl::Status admit_search_attributes(const AuthorizedNamespace& space, Request& request) {
    if (!request.has_search_attributes()) return absl::OkStatus();
    auto& attributes = *request.mutable_search_attributes();
    STELE_RETURN_IF_ERROR(space->search_attributes.check(attributes, space->limits));
    space->search_attributes.add_types(attributes);
    return absl::OkStatus();
}

Spliced<StartResponse> with_eager_task(const Services& services, const std::string& namespace_name,
                                       const std::string& workflow_id,
                                       shard::StartReply outcome) {
    constexpr int kEagerTaskField = StartResponse::kEagerWorkflowTaskFieldNumber;
    Spliced<StartResponse> response{start_response(namespace_name, workflow_id, outcome), {}};
    if (outcome.eager_task) {
        append_field(response.raw, kEagerTaskField,
                     serialize(poll_response(services.tokens, *std::move(outcome.eager_task))));
    }
    return response;
}

}  // namespace

StartResponse start_response(const std::string& namespace_name, const std::string& workflow_id,
                             const shard::StartReply& outcome) {
    StartResponse response;
    response.set_run_id(outcome.run_id);
    response.set_first_execution_run_id(outcome.first_execution_run_id);
    response.set_started(outcome.started);
    response.set_status(outcome.status);
    auto* event = response.mutable_link()->mutable_workflow_event();
    event->set_namespace_(namespace_name);
    event->set_workflow_id(workflow_id);
    event->set_run_id(outcome.run_id);
    event->mutable_event_ref()->set_event_id(kFirstEvent.value());
    event->mutable_event_ref()->set_event_type(
        api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    return response;
}

void add_start_methods(MethodTable& table, Services& services) {
    table.add_namespaced<service::StartWorkflowExecutionRequest, Spliced<StartResponse>>(
        "StartWorkflowExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::StartWorkflowExecutionRequest request,
                    Reply<Spliced<StartResponse>> reply) {
            const std::string fresh = env::new_uuid(services.env.random());
            if (auto status = validate_start(request, space->limits, fresh); !status.ok()) {
                return reply(std::move(status));
            }
            if (auto status = admit_search_attributes(space, request); !status.ok()) {
                return reply(std::move(status));
            }
            std::string workflow_id = request.workflow_id();
            services.engine.start_workflow(
                space.view(), std::move(request),
                [&services, name = space->name, workflow_id = std::move(workflow_id),
                 reply = std::move(reply)](absl::StatusOr<shard::StartReply> outcome) mutable {
                    if (!outcome.ok()) return reply(std::move(outcome).status());
                    reply(with_eager_task(services, name, workflow_id, *std::move(outcome)));
                });
        },
        /*creates=*/true);

    using SignalResponse = service::SignalWithStartWorkflowExecutionResponse;
    table.add_namespaced<service::SignalWithStartWorkflowExecutionRequest, SignalResponse>(
        "SignalWithStartWorkflowExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::SignalWithStartWorkflowExecutionRequest request,
                    Reply<SignalResponse> reply) {
            const std::string fresh = env::new_uuid(services.env.random());
            if (auto status = validate_signal_with_start(request, space->limits, fresh);
                !status.ok()) {
                return reply(std::move(status));
            }
            if (auto status = admit_search_attributes(space, request); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.signal_with_start(
                space.view(), std::move(request),
                [reply = std::move(reply)](absl::StatusOr<shard::StartReply> outcome) mutable {
                    if (!outcome.ok()) return reply(std::move(outcome).status());
                    SignalResponse response;
                    response.set_run_id(outcome->run_id);
                    response.set_first_execution_run_id(outcome->first_execution_run_id);
                    response.set_started(outcome->started);
                    reply(std::move(response));
                });
        },
        /*creates=*/true);
}

}  // namespace stele::frontend
