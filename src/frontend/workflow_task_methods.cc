#include "frontend/poll_responses.h"
#include "frontend/polls.h"
#include "frontend/services.h"
#include "frontend/validation.h"

// Workflow workers: polling, completing and failing workflow tasks, answering queries, stopping.
namespace stele::frontend {

namespace {

using PollTask = service::PollWorkflowTaskQueueResponse;
using CompletedResponse = service::RespondWorkflowTaskCompletedResponse;

void poll_workflow_task(Services& services, RequestContext context,
                        const AuthorizedNamespace& space,
                        service::PollWorkflowTaskQueueRequest request,
                        Reply<Spliced<PollTask>> reply) {
    absl::Status status = validate_poll_deadline(context.call->deadline(), context.now);
    if (status.ok()) status = validate_identity(request.identity());
    if (status.ok()) {
        status = validate_task_queue(request);
    }
    if (!status.ok()) return reply(std::move(status));
    matching::Poll poll = make_poll(services, context, space, shard::QueueKind::kWorkflow, request);
    services.matching.poll_workflow(
        std::move(poll), context.call,
        [&services, reply = std::move(reply)](
            absl::StatusOr<std::optional<shard::PolledWorkflowTask>> task) mutable {
            if (!task.ok()) return reply(std::move(task).status());
            if (!*task) return reply(Spliced<PollTask>());
            reply(poll_response(services.tokens, **std::move(task)));
        });
}

/// The response nests poll responses, which are joined in as bytes because of their history.
Spliced<CompletedResponse> completed_response(const TokenSigner& tokens,
                                              shard::CompletedTaskReply outcome) {
    Spliced<CompletedResponse> response;
    response.message.set_reset_history_event_id(outcome.reset_history_event.value());
    if (outcome.next) {
        append_field(response.raw, CompletedResponse::kWorkflowTaskFieldNumber,
                     serialize(poll_response(tokens, *std::move(outcome.next))));
    }
    for (shard::PolledActivityTask& activity : outcome.eager_activities) {
        *response.message.add_activity_tasks() = poll_response(tokens, std::move(activity));
    }
    return response;
}

/// The namespace that a command names as that of its target; empty when it names none.
std::string target_namespace(const api::command::v1::Command& command) {
    if (command.has_signal_external_workflow_execution_command_attributes()) {
        return command.signal_external_workflow_execution_command_attributes().namespace_();
    }
    return command.request_cancel_external_workflow_execution_command_attributes().namespace_();
}

/// A namespace that does not exist refuses the call; one that exists and is not the run's own fails
/// the task, which is for the core to say.
absl::Status check_target_namespaces(Services& services,
                                     const service::RespondWorkflowTaskCompletedRequest& request) {
    for (const api::command::v1::Command& command : request.commands()) {
        const std::string name = target_namespace(command);
        if (!name.empty() && services.namespaces.by_name(name) == nullptr) {
            return namespace_not_found(name);
        }
    }
    return absl::OkStatus();
}

void complete(Services& services, const RequestContext& context, const AuthorizedNamespace& space,
              service::RespondWorkflowTaskCompletedRequest request,
              Reply<Spliced<CompletedResponse>> reply) {
    if (auto status = validate_identity(request.identity()); !status.ok()) {
        return reply(std::move(status));
    }
    const auto token = required_token(context, wire::TaskToken::KIND_WORKFLOW_TASK);
    if (!token.ok()) return reply(token.status());
    if (auto status = check_target_namespaces(services, request); !status.ok()) {
        return reply(std::move(status));
    }
    services.engine.complete_workflow_task(
        space.view(), run_ref(**token), workflow_task_token(**token), std::move(request),
        [&services,
         reply = std::move(reply)](absl::StatusOr<shard::CompletedTaskReply> outcome) mutable {
            if (!outcome.ok()) return reply(std::move(outcome).status());
            reply(completed_response(services.tokens, *std::move(outcome)));
        });
}

void fail(Services& services, const RequestContext& context, const AuthorizedNamespace& space,
          service::RespondWorkflowTaskFailedRequest request,
          Reply<service::RespondWorkflowTaskFailedResponse> reply) {
    const auto token = required_token(context, wire::TaskToken::KIND_WORKFLOW_TASK);
    if (!token.ok()) return reply(token.status());
    if (auto status = validate_identity(request.identity()); !status.ok()) {
        return reply(std::move(status));
    }
    services.engine.fail_workflow_task(
        space.view(), run_ref(**token), workflow_task_token(**token), std::move(request),
        done<service::RespondWorkflowTaskFailedResponse>(std::move(reply)));
}

void answer_query(Services& services, const RequestContext& context,
                  const AuthorizedNamespace& space,
                  service::RespondQueryTaskCompletedRequest request,
                  Reply<service::RespondQueryTaskCompletedResponse> reply) {
    if (context.token && context.token->kind() != wire::TaskToken::KIND_QUERY) {
        return reply(invalid_argument("Invalid TaskToken."));
    }
    const auto token = required_token(context, wire::TaskToken::KIND_QUERY);
    if (!token.ok()) return reply(token.status());
    // An answer that is too large fails the query, so that its caller learns why.
    if (auto status = validate_blob(request.query_result(), space->limits); !status.ok()) {
        request.set_completed_type(api::enums::v1::QUERY_RESULT_TYPE_FAILED);
        request.clear_query_result();
        request.set_error_message(message_of(status));
    }
    services.engine.respond_query(
        space.view(), run_ref(**token), (*token)->query_id(), std::move(request),
        done<service::RespondQueryTaskCompletedResponse>(std::move(reply)));
}

}  // namespace

void add_workflow_task_methods(MethodTable& table, Services& services) {
    table.add_namespaced<service::PollWorkflowTaskQueueRequest, Spliced<PollTask>>(
        "PollWorkflowTaskQueue",
        [&services](RequestContext context, AuthorizedNamespace space, auto request, auto reply) {
            poll_workflow_task(services, std::move(context), space, std::move(request),
                               std::move(reply));
        });
    table.add_namespaced<service::RespondWorkflowTaskCompletedRequest, Spliced<CompletedResponse>>(
        "RespondWorkflowTaskCompleted",
        [&services](RequestContext context, AuthorizedNamespace space, auto request, auto reply) {
            complete(services, context, space, std::move(request), std::move(reply));
        });
    table.add_namespaced<service::RespondWorkflowTaskFailedRequest,
                         service::RespondWorkflowTaskFailedResponse>(
        "RespondWorkflowTaskFailed",
        [&services](RequestContext context, AuthorizedNamespace space, auto request, auto reply) {
            fail(services, context, space, std::move(request), std::move(reply));
        });
    table.add_namespaced<service::RespondQueryTaskCompletedRequest,
                         service::RespondQueryTaskCompletedResponse>(
        "RespondQueryTaskCompleted",
        [&services](RequestContext context, AuthorizedNamespace space, auto request, auto reply) {
            answer_query(services, context, space, std::move(request), std::move(reply));
        });
}

}  // namespace stele::frontend
