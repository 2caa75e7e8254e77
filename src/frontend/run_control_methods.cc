#include "frontend/services.h"
#include "frontend/validation.h"
#include "history/options.h"
#include "history/pause.h"

#include <google/protobuf/util/field_mask_util.h>

// What operators do to a run: reset it, delete it, pause and unpause it, change its options.
namespace stele::frontend {
namespace {

template <typename Request>
absl::Status validate_pause(const Request& request, const history::Limits& limits) {
    if (request.reason().size() > limits.id_length) return invalid_argument("reason is too long.");
    if (request.request_id().size() > limits.id_length) {
        return invalid_argument("request id is too long.");
    }
    if (request.identity().size() > limits.id_length) {
        return invalid_argument("identity is too long.");
    }
    api::common::v1::WorkflowExecution execution;
    execution.set_workflow_id(request.workflow_id());
    execution.set_run_id(request.run_id());
    return validate_execution(true, execution);
}

template <typename Request>
history::PauseInput pause_input(const Request& request) {
    return {request.identity(), request.reason(), request.request_id()};
}

void add_pause(MethodTable& table, Services& services) {
    using Request = service::PauseWorkflowExecutionRequest;
    using Response = service::PauseWorkflowExecutionResponse;
    table.add_namespaced<Request, Response>(
        "PauseWorkflowExecution", [&services](RequestContext, AuthorizedNamespace space,
                                              Request request, Reply<Response> reply) {
            if (!space->limits.workflow_pause) {
                return reply(unimplemented("workflow pause is not enabled for namespace: " +
                                           space->name));
            }
            if (auto status = validate_pause(request, space->limits); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.pause(space.view(),
                                  {space->id, request.workflow_id(), request.run_id()},
                                  pause_input(request), done<Response>(std::move(reply)));
        });
}

void add_unpause(MethodTable& table, Services& services) {
    using Request = service::UnpauseWorkflowExecutionRequest;
    using Response = service::UnpauseWorkflowExecutionResponse;
    table.add_namespaced<Request, Response>(
        "UnpauseWorkflowExecution", [&services](RequestContext, AuthorizedNamespace space,
                                                Request request, Reply<Response> reply) {
            if (auto status = validate_pause(request, space->limits); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.unpause(space.view(),
                                    {space->id, request.workflow_id(), request.run_id()},
                                    pause_input(request), done<Response>(std::move(reply)));
        });
}

absl::Status validate_reset(const service::ResetWorkflowExecutionRequest& request,
                            const history::Limits& limits) {
    if (request.request_id().empty()) return invalid_argument("RequestId is not set on request.");
    if (request.request_id().size() > limits.id_length) {
        return invalid_argument("RequestId length exceeds limit.");
    }
    STELE_RETURN_IF_ERROR(
        validate_execution(request.has_workflow_execution(), request.workflow_execution()));
    if (!api::enums::v1::ResetReapplyType_IsValid(request.reset_reapply_type())) {
        return internal_error("unknown reset reapply type: " +
                              std::to_string(request.reset_reapply_type()));
    }
    return absl::OkStatus();
}

void add_reset(MethodTable& table, Services& services) {
    using Request = service::ResetWorkflowExecutionRequest;
    using Response = service::ResetWorkflowExecutionResponse;
    table.add_namespaced<Request, Response>(
        "ResetWorkflowExecution", [&services](RequestContext, AuthorizedNamespace space,
                                              Request request, Reply<Response> reply) {
            if (auto status = validate_reset(request, space->limits); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.reset(space.view(), std::move(request), std::move(reply));
        });
}

void add_delete(MethodTable& table, Services& services) {
    using Request = service::DeleteWorkflowExecutionRequest;
    using Response = service::DeleteWorkflowExecutionResponse;
    table.add_namespaced<Request, Response>(
        "DeleteWorkflowExecution", [&services](RequestContext, AuthorizedNamespace space,
                                               Request request, Reply<Response> reply) {
            auto status =
                validate_execution(request.has_workflow_execution(), request.workflow_execution());
            if (!status.ok()) return reply(std::move(status));
            services.engine.remove(space.view(), run_ref(space, request.workflow_execution()),
                                   done<Response>(std::move(reply)));
        });
}

/// The first path of the mask that names nothing, as an error.
absl::Status validate_mask(const google::protobuf::FieldMask& mask) {
    using google::protobuf::util::FieldMaskUtil;
    for (const std::string& path : mask.paths()) {
        if (FieldMaskUtil::IsValidPath<history::WorkflowOptions>(path)) continue;
        return invalid_argument(
            "error parsing UpdateMask: proto: invalid path \"" + path + "\" for message \"" +
            std::string(history::WorkflowOptions::descriptor()->full_name()) + "\"");
    }
    return absl::OkStatus();
}

absl::Status validate_options(const service::UpdateWorkflowExecutionOptionsRequest& request) {
    if (request.workflow_execution().workflow_id().empty()) {
        return invalid_argument("WorkflowId is not set on request.");
    }
    if (!request.has_update_mask()) return invalid_argument("UpdateMask is required");
    if (!request.has_workflow_execution_options()) {
        return invalid_argument("WorkflowExecutionOptions is required");
    }
    STELE_RETURN_IF_ERROR(validate_mask(request.update_mask()));
    STELE_RETURN_IF_ERROR(validate_priority(request.workflow_execution_options().priority()));
    if (request.workflow_execution_options().has_time_skipping_config()) {
        return unimplemented("The Time-Skipping feature is not enabled for namespace.");
    }
    return validate_execution(true, request.workflow_execution());
}

void add_update_options(MethodTable& table, Services& services) {
    using Request = service::UpdateWorkflowExecutionOptionsRequest;
    using Response = service::UpdateWorkflowExecutionOptionsResponse;
    table.add_namespaced<Request, Response>(
        "UpdateWorkflowExecutionOptions",
        [&services](RequestContext, AuthorizedNamespace space, Request request,
                    Reply<Response> reply) {
            if (auto status = validate_options(request); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.update_options(
                space.view(), run_ref(space, request.workflow_execution()),
                {request.workflow_execution_options(), request.update_mask(), request.identity()},
                [reply = std::move(reply)](
                    absl::StatusOr<history::WorkflowOptions> options) mutable {
                    if (!options.ok()) return reply(std::move(options).status());
                    Response response;
                    *response.mutable_workflow_execution_options() = *std::move(options);
                    reply(std::move(response));
                });
        });
}

}  // namespace

void add_run_control_methods(MethodTable& table, Services& services) {
    add_reset(table, services);
    add_delete(table, services);
    add_pause(table, services);
    add_unpause(table, services);
    add_update_options(table, services);
}

}  // namespace stele::frontend
