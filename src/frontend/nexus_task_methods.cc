#include "frontend/polls.h"
#include "frontend/services.h"
#include "frontend/validation.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <utility>

// Workers that handle Nexus operations: polling for requests and answering them.
namespace stele::frontend {
namespace {

using PollRequest = service::PollNexusTaskQueueRequest;
using PollResponse = service::PollNexusTaskQueueResponse;
using CompletedRequest = service::RespondNexusTaskCompletedRequest;
using CompletedResponse = service::RespondNexusTaskCompletedResponse;
using FailedRequest = service::RespondNexusTaskFailedRequest;
using FailedResponse = service::RespondNexusTaskFailedResponse;

PollResponse response_of(const TokenSigner& tokens, const std::string& namespace_id,
                         matching::NexusTask task) {
    wire::TaskToken token;
    token.set_kind(wire::TaskToken::KIND_NEXUS);
    token.set_namespace_id(namespace_id);
    token.set_nexus_task_id(task.id);
    PollResponse response;
    response.set_task_token(tokens.sign(token));
    *response.mutable_request() = std::move(task.request);
    // Workers that scale by themselves are told something with every task.
    response.mutable_poller_scaling_decision()->set_poll_request_delta_suggestion(
        task.poller_advice);
    return response;
}

void poll(Services& services, RequestContext context, const AuthorizedNamespace& space,
          PollRequest request, Reply<PollResponse> reply) {
    absl::Status status = validate_poll_deadline(context.call->deadline(), context.now);
    if (status.ok()) status = validate_task_queue(request);
    if (status.ok()) status = validate_identity(request.identity());
    if (!status.ok()) return reply(std::move(status));
    if (services.namespaces.call_settings(space->id).worker_heartbeats) {
        for (auto& heartbeat : *request.mutable_worker_heartbeat()) {
            services.workers.record(space->id, std::move(heartbeat), context.now);
        }
    }
    matching::Poll poll = make_poll(services, context, space, shard::QueueKind::kNexus, request);
    services.nexus_tasks.poll(std::move(poll), context.call,
                              [&services, id = space->id, reply = std::move(reply)](
                                  absl::StatusOr<std::optional<matching::NexusTask>> task) mutable {
                                  if (!task.ok()) return reply(std::move(task).status());
                                  if (!*task) return reply(PollResponse());
                                  reply(response_of(services.tokens, id, **std::move(task)));
                              });
}

absl::Status validate_details(const api::nexus::v1::Failure& failure) {
    google::protobuf::Value value;
    if (failure.details().empty() ||
        google::protobuf::util::JsonStringToMessage(failure.details(), &value).ok()) {
        return absl::OkStatus();
    }
    return invalid_argument("failure details must be JSON serializable");
}

absl::Status validate_completed(const CompletedRequest& request, const history::Limits& limits) {
    const auto& start = request.response().start_operation();
    if (start.has_async_success()) {
        const auto& answer = start.async_success();
        const std::string& token =
            answer.operation_token().empty() ? answer.operation_id() : answer.operation_token();
        if (token.empty()) return invalid_argument("missing opration token in response");
        if (token.size() > limits.nexus_token_length) {
            return invalid_argument("operation token length exceeds allowed limit (" +
                                    std::to_string(token.size()) + "/" +
                                    std::to_string(limits.nexus_token_length) + ")");
        }
    }
    if (start.has_operation_error()) return validate_details(start.operation_error().failure());
    return absl::OkStatus();
}

absl::Status validate_failed(const FailedRequest& request) {
    if (!request.has_error() && !request.has_failure()) {
        return invalid_argument("request must contain error or failure");
    }
    if (request.has_error()) {
        STELE_RETURN_IF_ERROR(validate_details(request.error().failure()));
    }
    if (request.has_failure() && !request.failure().has_nexus_handler_failure_info()) {
        return invalid_argument(
            "request Failure must contain error or failure with NexusHandlerFailureInfo");
    }
    return absl::OkStatus();
}

}  // namespace

void add_nexus_task_methods(MethodTable& table, Services& services) {
    table.add_namespaced<PollRequest, PollResponse>(
        "PollNexusTaskQueue",
        [&services](RequestContext context, AuthorizedNamespace space, auto request, auto reply) {
            poll(services, std::move(context), space, std::move(request), std::move(reply));
        });
    table.add_namespaced<CompletedRequest, CompletedResponse>(
        "RespondNexusTaskCompleted",
        [&services](RequestContext context, AuthorizedNamespace space, CompletedRequest request,
                    Reply<CompletedResponse> reply) {
            const absl::Status status = validate_completed(request, space->limits);
            if (!status.ok()) return reply(status);
            const auto token = required_token(context, wire::TaskToken::KIND_NEXUS);
            if (!token.ok()) return reply(token.status());
            services.nexus_tasks.respond((*token)->nexus_task_id(),
                                         std::move(*request.mutable_response()),
                                         done<CompletedResponse>(std::move(reply)));
        });
    table.add_namespaced<FailedRequest, FailedResponse>(
        "RespondNexusTaskFailed", [&services](RequestContext context, AuthorizedNamespace,
                                              FailedRequest request, Reply<FailedResponse> reply) {
            const auto token = required_token(context, wire::TaskToken::KIND_NEXUS);
            if (!token.ok()) return reply(token.status());
            const absl::Status status = validate_failed(request);
            if (!status.ok()) return reply(status);
            history::NexusAnswer answer;
            if (request.has_error()) {
                answer = std::move(*request.mutable_error());
            } else {
                answer = std::move(*request.mutable_failure());
            }
            services.nexus_tasks.respond((*token)->nexus_task_id(), std::move(answer),
                                         done<FailedResponse>(std::move(reply)));
        });
}

}  // namespace stele::frontend
