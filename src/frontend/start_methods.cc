#include "frontend/poll_responses.h"
#include "frontend/services.h"
#include "frontend/start_response.h"
#include "frontend/validation.h"

#include "cron/schedule.h"

// Starting workflows.
namespace stele::frontend {
namespace {

using StartResponse = service::StartWorkflowExecutionResponse;

/// The event that the start has made, or the request id under which its event will be found.
void link_start(const StartNames& names, const shard::StartReply& outcome,
                api::common::v1::Link::WorkflowEvent& link) {
    link.set_namespace_(names.namespace_name);
    link.set_workflow_id(names.workflow_id);
    link.set_run_id(outcome.run_id);
    if (outcome.attached) {
        link.mutable_request_id_ref()->set_request_id(names.request_id);
        link.mutable_request_id_ref()->set_event_type(
            api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
        return;
    }
    link.mutable_event_ref()->set_event_id(kFirstEvent.value());
    link.mutable_event_ref()->set_event_type(api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
}

Spliced<StartResponse> with_eager_task(const Services& services, const StartNames& names,
                                       shard::StartReply outcome) {
    constexpr int kEagerTaskField = StartResponse::kEagerWorkflowTaskFieldNumber;
    Spliced<StartResponse> response{start_response(names, outcome), {}};
    if (outcome.eager_task) {
        append_field(response.raw, kEagerTaskField,
                     serialize(poll_response(services.tokens, *std::move(outcome.eager_task))));
    }
    return response;
}

}  // namespace

StartResponse start_response(const StartNames& names, const shard::StartReply& outcome) {
    StartResponse response;
    response.set_run_id(outcome.run_id);
    response.set_first_execution_run_id(outcome.first_execution_run_id);
    response.set_started(outcome.started);
    response.set_status(outcome.status);
    link_start(names, outcome, *response.mutable_link()->mutable_workflow_event());
    return response;
}

void add_start_methods(MethodTable& table, Services& services) {
    table.add_namespaced<service::StartWorkflowExecutionRequest, Spliced<StartResponse>>(
        "StartWorkflowExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::StartWorkflowExecutionRequest request,
                    Reply<Spliced<StartResponse>> reply) {
            const std::string fresh = env::new_uuid(services.env.random());
            const absl::Status status = [&] {
                STELE_RETURN_IF_ERROR(validate_start(request, space->limits, fresh));
                STELE_RETURN_IF_ERROR(cron::validate(request.cron_schedule(), services.env.now()));
                return admit_search_attributes(space->search_attributes, space->limits, request);
            }();
            if (!status.ok()) return reply(status);
            StartNames names{space->name, request.workflow_id(), request.request_id()};
            services.engine.start_workflow(
                space.view(), std::move(request),
                [&services, names = std::move(names),
                 reply = std::move(reply)](absl::StatusOr<shard::StartReply> outcome) mutable {
                    if (!outcome.ok()) return reply(std::move(outcome).status());
                    reply(with_eager_task(services, names, *std::move(outcome)));
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
            const absl::Status status = [&] {
                STELE_RETURN_IF_ERROR(cron::validate(request.cron_schedule(), services.env.now()));
                STELE_RETURN_IF_ERROR(validate_signal_with_start(request, space->limits, fresh));
                return admit_search_attributes(space->search_attributes, space->limits, request);
            }();
            if (!status.ok()) return reply(status);
            // The signal may be buffered and have no event id yet.
            api::common::v1::Link::WorkflowEvent link;
            link.set_namespace_(space->name);
            link.set_workflow_id(request.workflow_id());
            link.mutable_request_id_ref()->set_request_id(request.request_id());
            link.mutable_request_id_ref()->set_event_type(
                api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
            services.engine.signal_with_start(
                space.view(), std::move(request),
                [link = std::move(link),
                 reply = std::move(reply)](absl::StatusOr<shard::StartReply> outcome) mutable {
                    if (!outcome.ok()) return reply(std::move(outcome).status());
                    SignalResponse response;
                    link.set_run_id(outcome->run_id);
                    *response.mutable_signal_link()->mutable_workflow_event() = std::move(link);
                    response.set_run_id(outcome->run_id);
                    response.set_first_execution_run_id(outcome->first_execution_run_id);
                    response.set_started(outcome->started);
                    reply(std::move(response));
                });
        },
        /*creates=*/true);
}

}  // namespace stele::frontend
