#include "frontend/services.h"
#include "frontend/start_response.h"
#include "frontend/validation.h"

#include "temporal/api/errordetails/v1/message.pb.h"

// Updates: sending one, asking for its outcome, and sending one together with the start of its
// workflow.
namespace stele::frontend {
namespace {

namespace enums = api::enums::v1;
using UpdateRequest = service::UpdateWorkflowExecutionRequest;
using UpdateResponse = service::UpdateWorkflowExecutionResponse;
using PollRequest = service::PollWorkflowExecutionUpdateRequest;
using PollResponse = service::PollWorkflowExecutionUpdateResponse;
using MultiRequest = service::ExecuteMultiOperationRequest;
using MultiResponse = service::ExecuteMultiOperationResponse;

// ---- Checks ----------------------------------------------------------------------------------

absl::Status permission_denied(std::string message) {
    return make_error(absl::StatusCode::kPermissionDenied, std::move(message),
                      api::errordetails::v1::PermissionDeniedFailure());
}

/// Checks an update and fills in its id and how long the caller waits.
absl::Status prepare_update(UpdateRequest& request, const std::string& new_id) {
    STELE_RETURN_IF_ERROR(
        validate_execution(request.has_workflow_execution(), request.workflow_execution()));
    api::update::v1::Request& update = *request.mutable_request();
    if (!update.has_meta()) return invalid_argument("Update meta is not set on request.");
    if (update.meta().update_id().size() > kMaximumNameBytes) {
        return invalid_argument("UpdateId length exceeds limit.");
    }
    if (update.meta().update_id().empty()) update.mutable_meta()->set_update_id(new_id);
    if (!update.has_input()) return invalid_argument("Update input is not set on request.");
    if (update.input().name().empty()) {
        return invalid_argument("Update name is not set on request.");
    }
    auto& policy = *request.mutable_wait_policy();
    if (policy.lifecycle_stage() == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED) {
        policy.set_lifecycle_stage(enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
    }
    if (policy.lifecycle_stage() == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED) {
        return permission_denied(
            "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not "
            "supported.");
    }
    return absl::OkStatus();
}

absl::Status same_namespace(const std::string& of_operation, const AuthorizedNamespace& space) {
    if (of_operation.empty() || of_operation == space->name) return absl::OkStatus();
    return invalid_argument("Operation namespace did not match request's namespace.");
}

absl::Status prepare_start_part(service::StartWorkflowExecutionRequest& request,
                                const AuthorizedNamespace& space, const std::string& new_id) {
    STELE_RETURN_IF_ERROR(same_namespace(request.namespace_(), space));
    request.set_namespace_(space->name);
    STELE_RETURN_IF_ERROR(validate_start(request, space->limits, new_id));
    if (!request.cron_schedule().empty()) {
        return invalid_argument("CronSchedule is not allowed.");
    }
    if (request.request_eager_execution()) {
        return invalid_argument("RequestEagerExecution is not supported.");
    }
    if (from_proto(request.workflow_start_delay()) > Duration::zero()) {
        return invalid_argument("WorkflowStartDelay is not supported.");
    }
    return admit_search_attributes(space->search_attributes, space->limits, request);
}

absl::Status prepare_update_part(UpdateRequest& request, const AuthorizedNamespace& space,
                                 const std::string& new_id) {
    STELE_RETURN_IF_ERROR(same_namespace(request.namespace_(), space));
    STELE_RETURN_IF_ERROR(prepare_update(request, new_id));
    if (!request.first_execution_run_id().empty()) {
        return invalid_argument("FirstExecutionRunId is not allowed.");
    }
    if (!request.workflow_execution().run_id().empty()) {
        return invalid_argument("RunId is not allowed.");
    }
    return absl::OkStatus();
}

// ---- Answers ---------------------------------------------------------------------------------

void set_reference(const shard::UpdateReply& outcome, api::update::v1::UpdateRef& reference) {
    reference.mutable_workflow_execution()->set_workflow_id(outcome.run.workflow_id);
    reference.mutable_workflow_execution()->set_run_id(outcome.run.run_id);
    reference.set_update_id(outcome.update_id);
}

/// Where the update can be seen: its accepted event; the workflow, when there is none.
void set_link(const std::string& namespace_name, const std::string& request_id,
              const shard::UpdateReply& outcome, UpdateResponse& response) {
    if (outcome.stage < enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED) return;
    const auto set_place = [&](auto& link) {
        link.set_namespace_(namespace_name);
        link.set_workflow_id(outcome.run.workflow_id);
        link.set_run_id(outcome.run.run_id);
    };
    if (outcome.outcome && outcome.outcome->has_failure()) {
        auto& workflow = *response.mutable_link()->mutable_workflow();
        set_place(workflow);
        workflow.set_reason("Update rejected");
        return;
    }
    auto& event = *response.mutable_link()->mutable_workflow_event();
    set_place(event);
    event.mutable_request_id_ref()->set_request_id(request_id);
    event.mutable_request_id_ref()->set_event_type(
        enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
}

UpdateResponse update_response(const std::string& namespace_name, const std::string& request_id,
                               shard::UpdateReply outcome) {
    UpdateResponse response;
    set_reference(outcome, *response.mutable_update_ref());
    response.set_stage(outcome.stage);
    set_link(namespace_name, request_id, outcome, response);
    if (outcome.outcome) *response.mutable_outcome() = *std::move(outcome.outcome);
    return response;
}

/// The error of an update-with-start, with the status of either part. The first part that failed of
/// itself gives the code.
absl::Status multi_operation_error(const std::vector<absl::Status>& parts) {
    api::errordetails::v1::MultiOperationExecutionFailure detail;
    std::optional<absl::StatusCode> code;
    for (const absl::Status& part : parts) {
        if (!code && !part.ok() && part != shard::operation_not_tried()) code = part.code();
        auto& status = *detail.add_statuses();
        status.set_code(static_cast<int>(part.code()));
        status.set_message(message_of(part));
        if (const std::optional<ErrorDetail> reason = detail_of(part)) {
            auto& any = *status.add_details();
            any.set_type_url(reason->type_url);
            any.set_value(reason->value);
        }
    }
    return make_error(code.value_or(absl::StatusCode::kAborted),
                      "Update-with-Start could not be executed.", detail);
}

absl::StatusOr<MultiResponse> multi_response(const StartNames& names,
                                             const std::string& request_id,
                                             shard::UpdateWithStartReply outcome) {
    if (!outcome.start.ok() || !outcome.update.ok()) {
        return multi_operation_error({outcome.start.status(), outcome.update.status()});
    }
    MultiResponse response;
    *response.add_responses()->mutable_start_workflow() =
        start_response(names, *outcome.start);
    *response.add_responses()->mutable_update_workflow() =
        update_response(names.namespace_name, request_id, *std::move(outcome.update));
    return response;
}

// ---- Calls -----------------------------------------------------------------------------------

void update(Services& services, const RequestContext& context, const AuthorizedNamespace& space,
            UpdateRequest request, Reply<UpdateResponse> reply) {
    absl::Status status = prepare_update(request, env::new_uuid(services.env.random()));
    if (!status.ok()) return reply(std::move(status));
    std::string request_id = request.request().request_id();
    services.engine.update_workflow(
        space.view(), std::move(request), context.call,
        [name = space->name, request_id = std::move(request_id),
         reply = std::move(reply)](absl::StatusOr<shard::UpdateReply> outcome) mutable {
            if (!outcome.ok()) return reply(std::move(outcome).status());
            reply(update_response(name, request_id, *std::move(outcome)));
        });
}

void poll(Services& services, const RequestContext& context, const AuthorizedNamespace& space,
          PollRequest request, Reply<PollResponse> reply) {
    if (!request.has_update_ref()) {
        return reply(invalid_argument("UpdateRef is not set on request."));
    }
    services.engine.poll_update(
        space.view(), std::move(request), context.call,
        [reply = std::move(reply)](absl::StatusOr<shard::UpdateReply> outcome) mutable {
            if (!outcome.ok()) return reply(std::move(outcome).status());
            PollResponse response;
            set_reference(*outcome, *response.mutable_update_ref());
            response.set_stage(outcome->stage);
            if (outcome->outcome) *response.mutable_outcome() = *std::move(outcome->outcome);
            reply(std::move(response));
        });
}

void execute_both(Services& services, const RequestContext& context,
                  const AuthorizedNamespace& space, MultiRequest request,
                  Reply<MultiResponse> reply) {
    const bool start_and_update = request.operations_size() == 2 &&
                                  request.operations(0).has_start_workflow() &&
                                  request.operations(1).has_update_workflow();
    if (!start_and_update) {
        return reply(invalid_argument("Operations have to be exactly [Start, Update]."));
    }
    shard::UpdateWithStartRequest parts;
    parts.start = std::move(*request.mutable_operations(0)->mutable_start_workflow());
    parts.update = std::move(*request.mutable_operations(1)->mutable_update_workflow());
    absl::Status start =
        prepare_start_part(parts.start, space, env::new_uuid(services.env.random()));
    absl::Status update =
        prepare_update_part(parts.update, space, env::new_uuid(services.env.random()));
    if (start.ok() && update.ok() &&
        parts.start.workflow_id() != parts.update.workflow_execution().workflow_id()) {
        update = invalid_argument("WorkflowId is not consistent with previous operation(s).");
    }
    if (!start.ok() || !update.ok()) {
        if (start.ok()) start = shard::operation_not_tried();
        if (update.ok()) update = shard::operation_not_tried();
        return reply(multi_operation_error({start, update}));
    }
    std::string request_id = parts.update.request().request_id();
    StartNames names{space->name, parts.start.workflow_id(), parts.start.request_id()};
    services.engine.update_with_start(
        space.view(), std::move(parts), context.call,
        [names = std::move(names), request_id = std::move(request_id),
         reply = std::move(reply)](absl::StatusOr<shard::UpdateWithStartReply> outcome) mutable {
            if (!outcome.ok()) return reply(std::move(outcome).status());
            reply(multi_response(names, request_id, *std::move(outcome)));
        });
}

}  // namespace

void add_update_methods(MethodTable& table, Services& services) {
    table.add_namespaced<UpdateRequest, UpdateResponse>(
        "UpdateWorkflowExecution", [&services](RequestContext context, AuthorizedNamespace space,
                                               UpdateRequest request, Reply<UpdateResponse> reply) {
            update(services, context, space, std::move(request), std::move(reply));
        });
    table.add_namespaced<PollRequest, PollResponse>(
        "PollWorkflowExecutionUpdate",
        [&services](RequestContext context, AuthorizedNamespace space, PollRequest request,
                    Reply<PollResponse> reply) {
            poll(services, context, space, std::move(request), std::move(reply));
        });
    table.add_namespaced<MultiRequest, MultiResponse>(
        "ExecuteMultiOperation",
        [&services](RequestContext context, AuthorizedNamespace space, MultiRequest request,
                    Reply<MultiResponse> reply) {
            execute_both(services, context, space, std::move(request), std::move(reply));
        },
        /*creates=*/true);
}

}  // namespace stele::frontend
