#include "frontend/services.h"
#include "frontend/validation.h"

// What clients do to a run that exists: signal, cancel, terminate, query, describe.
namespace stele::frontend {
namespace {

constexpr char kDefaultTerminateReason[] = "terminated by user via frontend";
constexpr char kDefaultTerminateIdentity[] = "frontend-service";

void add_signal(MethodTable& table, Services& services) {
    using Response = service::SignalWorkflowExecutionResponse;
    table.add_namespaced<service::SignalWorkflowExecutionRequest, Response>(
        "SignalWorkflowExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::SignalWorkflowExecutionRequest request, Reply<Response> reply) {
            if (auto status = validate_signal(request, space->limits); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.signal(space.view(), std::move(request),
                                   done<Response>(std::move(reply)));
        });
}

void add_cancel(MethodTable& table, Services& services) {
    using Response = service::RequestCancelWorkflowExecutionResponse;
    table.add_namespaced<service::RequestCancelWorkflowExecutionRequest, Response>(
        "RequestCancelWorkflowExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::RequestCancelWorkflowExecutionRequest request, Reply<Response> reply) {
            auto status =
                validate_execution(request.has_workflow_execution(), request.workflow_execution());
            if (!status.ok()) return reply(std::move(status));
            services.engine.request_cancel(space.view(), std::move(request),
                                           done<Response>(std::move(reply)));
        });
}

void add_terminate(MethodTable& table, Services& services) {
    using Response = service::TerminateWorkflowExecutionResponse;
    table.add_namespaced<service::TerminateWorkflowExecutionRequest, Response>(
        "TerminateWorkflowExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::TerminateWorkflowExecutionRequest request, Reply<Response> reply) {
            auto status =
                validate_execution(request.has_workflow_execution(), request.workflow_execution());
            if (!status.ok()) return reply(std::move(status));
            if (request.reason().empty()) request.set_reason(kDefaultTerminateReason);
            if (request.identity().empty()) request.set_identity(kDefaultTerminateIdentity);
            services.engine.terminate(space.view(), std::move(request),
                                      done<Response>(std::move(reply)));
        });
}

void add_query(MethodTable& table, Services& services) {
    using Response = service::QueryWorkflowResponse;
    table.add_namespaced<service::QueryWorkflowRequest, Response>(
        "QueryWorkflow", [&services](RequestContext context, AuthorizedNamespace space,
                                     service::QueryWorkflowRequest request, Reply<Response> reply) {
            if (auto status = validate_query(request, space->limits); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.query(space.view(), std::move(request), context.call, std::move(reply));
        });
}

void add_describe(MethodTable& table, Services& services) {
    using Response = service::DescribeWorkflowExecutionResponse;
    table.add_namespaced<service::DescribeWorkflowExecutionRequest, Response>(
        "DescribeWorkflowExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::DescribeWorkflowExecutionRequest request, Reply<Response> reply) {
            auto status = validate_execution(request.has_execution(), request.execution());
            if (!status.ok()) return reply(std::move(status));
            services.engine.describe(space.view(), run_ref(space, request.execution()),
                                     std::move(reply));
        });
}

void add_reset_sticky(MethodTable& table, Services& services) {
    using Response = service::ResetStickyTaskQueueResponse;
    table.add_namespaced<service::ResetStickyTaskQueueRequest, Response>(
        "ResetStickyTaskQueue",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::ResetStickyTaskQueueRequest request, Reply<Response> reply) {
            auto status = validate_execution(request.has_execution(), request.execution());
            if (!status.ok()) return reply(std::move(status));
            services.engine.reset_sticky(space.view(), run_ref(space, request.execution()),
                                         done<Response>(std::move(reply)));
        });
}

}  // namespace

void add_control_methods(MethodTable& table, Services& services) {
    add_signal(table, services);
    add_cancel(table, services);
    add_terminate(table, services);
    add_query(table, services);
    add_describe(table, services);
    add_reset_sticky(table, services);
}

}  // namespace stele::frontend
