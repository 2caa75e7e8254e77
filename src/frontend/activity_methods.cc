#include "frontend/poll_responses.h"
#include "frontend/polls.h"
#include "frontend/services.h"
#include "frontend/validation.h"
#include "history/failures.h"

#include <optional>
#include <vector>

// Activity workers: polling, heartbeats and outcomes, by task token or by workflow and activity id.
namespace stele::frontend {
namespace {

using PollActivity = service::PollActivityTaskQueueResponse;
using HeartbeatResponse = service::RecordActivityTaskHeartbeatResponse;

using api::failure::v1::Failure;

constexpr char kHeartbeatTooLarge[] = "Heartbeat details exceed size limit.";
constexpr char kResultTooLarge[] = "Complete result exceeds size limit.";
constexpr char kFailureTooLarge[] = "Failure exceeds size limit.";
constexpr char kDetailsTooLarge[] = "Cancel details exceed size limit.";
/// How much of a failure that is too large is kept as the cause of what replaces it.
constexpr std::size_t kKeptFailureBytes = std::size_t{512} * 1024;

/// Which attempt of which activity a call is about.
struct Target {
    RunRef run;
    history::ActivityToken token;
};

template <typename Request>
absl::StatusOr<Target> target_of(const RequestContext& context, const AuthorizedNamespace& space,
                                 const Request& request) {
    if constexpr (requires { request.task_token(); }) {
        STELE_ASSIGN_OR_RETURN(const wire::TaskToken* const token,
                               required_token(context, wire::TaskToken::KIND_ACTIVITY));
        return Target{run_ref(*token), activity_token(*token)};
    } else {
        if (request.activity_id().empty()) {
            return invalid_argument("ActivityId is not set on request.");
        }
        if (request.workflow_id().empty()) {
            return invalid_argument("WorkflowId is not set on request.");
        }
        Target target;
        target.run = {space->id, request.workflow_id(), request.run_id()};
        target.token.activity_id = request.activity_id();
        target.token.by_id = true;
        return target;
    }
}

/// What the server says in place of a payload that it can not store.
Failure too_large(const char* reason) { return history::server_failure(reason, true); }

/// Replaces what of a reported failure can not be stored, and returns what the worker is told of it.
std::vector<Failure> replace_oversized(Failure& failure,
                                       std::optional<api::common::v1::Payloads>& details,
                                       const history::Limits& limits) {
    std::vector<Failure> replaced;
    if (details && !validate_blob(*details, limits).ok()) {
        replaced.push_back(too_large(kHeartbeatTooLarge));
        details.reset();
    }
    if (!validate_blob(failure, limits).ok()) {
        Failure shorter = too_large(kFailureTooLarge);
        *shorter.mutable_cause() = history::truncate_failure(failure, kKeptFailureBytes);
        failure = shorter;
        replaced.push_back(std::move(shorter));
    }
    return replaced;
}

void poll(Services& services, RequestContext context, const AuthorizedNamespace& space,
          service::PollActivityTaskQueueRequest request, Reply<PollActivity> reply) {
    absl::Status status = validate_poll_deadline(context.call->deadline(), context.now);
    if (status.ok()) {
        status = validate_task_queue(request);
    }
    if (status.ok()) status = validate_identity(request.identity());
    if (!status.ok()) return reply(std::move(status));
    matching::Poll poll = make_poll(services, context, space, shard::QueueKind::kActivity, request);
    if (request.task_queue_metadata().has_max_tasks_per_second()) {
        poll.max_tasks_per_second = request.task_queue_metadata().max_tasks_per_second().value();
    }
    services.matching.poll_activity(
        std::move(poll), context.call,
        [&services, reply = std::move(reply)](
            absl::StatusOr<std::optional<shard::PolledActivityTask>> task) mutable {
            if (!task.ok()) return reply(std::move(task).status());
            if (!*task) return reply(PollActivity());
            reply(poll_response(services.tokens, **std::move(task)));
        });
}

template <typename Request, typename Response>
void add_heartbeat(MethodTable& table, Services& services, const std::string& method) {
    table.add_namespaced<Request, Response>(method, [&services](RequestContext context,
                                                                AuthorizedNamespace space,
                                                                Request request,
                                                                Reply<Response> reply) {
        auto target = target_of(context, space, request);
        if (!target.ok()) return reply(std::move(target).status());
        if (!validate_blob(request.details(), space->limits).ok()) {
            // The activity can not go on with details that nobody can store.
            return services.engine.fail_activity(
                space.view(), target->run, target->token, too_large(kHeartbeatTooLarge),
                std::nullopt, request.identity(),
                [reply = std::move(reply)](absl::StatusOr<history::None> outcome) mutable {
                    if (!outcome.ok()) return reply(std::move(outcome).status());
                    Response response;
                    response.set_cancel_requested(true);
                    reply(std::move(response));
                });
        }
        services.engine.heartbeat_activity(
            space.view(), target->run, target->token, std::move(*request.mutable_details()),
            request.identity(),
            [reply = std::move(reply)](absl::StatusOr<history::HeartbeatReply> outcome) mutable {
                if (!outcome.ok()) return reply(std::move(outcome).status());
                Response response;
                response.set_cancel_requested(outcome->cancel_requested);
                response.set_activity_paused(outcome->paused);
                response.set_activity_reset(outcome->reset);
                reply(std::move(response));
            });
    });
}

template <typename Request, typename Response>
void add_completed(MethodTable& table, Services& services, const std::string& method) {
    table.add_namespaced<Request, Response>(
        method, [&services](RequestContext context, AuthorizedNamespace space, Request request,
                            Reply<Response> reply) {
            auto target = target_of(context, space, request);
            if (!target.ok()) return reply(std::move(target).status());
            if (auto status = validate_identity(request.identity()); !status.ok()) {
                return reply(std::move(status));
            }
            if (!validate_blob(request.result(), space->limits).ok()) {
                return services.engine.fail_activity(
                    space.view(), target->run, target->token, too_large(kResultTooLarge),
                    std::nullopt, request.identity(), done<Response>(std::move(reply)));
            }
            services.engine.complete_activity(space.view(), target->run, target->token,
                                              std::move(*request.mutable_result()),
                                              request.identity(), done<Response>(std::move(reply)));
        });
}

template <typename Request, typename Response>
void add_failed(MethodTable& table, Services& services, const std::string& method) {
    table.add_namespaced<Request, Response>(
        method, [&services](RequestContext context, AuthorizedNamespace space, Request request,
                            Reply<Response> reply) {
            auto target = target_of(context, space, request);
            if (!target.ok()) return reply(std::move(target).status());
            if (request.has_failure() && !request.failure().has_application_failure_info()) {
                return reply(invalid_argument("Failure must have ApplicationFailureInfo."));
            }
            if (auto status = validate_identity(request.identity()); !status.ok()) {
                return reply(std::move(status));
            }
            std::optional<api::common::v1::Payloads> details;
            if (request.has_last_heartbeat_details()) {
                details = std::move(*request.mutable_last_heartbeat_details());
            }
            std::vector<Failure> replaced =
                replace_oversized(*request.mutable_failure(), details, space->limits);
            services.engine.fail_activity(
                space.view(), target->run, target->token, std::move(*request.mutable_failure()),
                std::move(details), request.identity(),
                [replaced = std::move(replaced),
                 reply = std::move(reply)](absl::StatusOr<history::None> outcome) mutable {
                    if (!outcome.ok()) return reply(std::move(outcome).status());
                    Response response;
                    response.mutable_failures()->Assign(replaced.begin(), replaced.end());
                    reply(std::move(response));
                });
        });
}

template <typename Request, typename Response>
void add_canceled(MethodTable& table, Services& services, const std::string& method) {
    table.add_namespaced<Request, Response>(
        method, [&services](RequestContext context, AuthorizedNamespace space, Request request,
                            Reply<Response> reply) {
            auto target = target_of(context, space, request);
            if (!target.ok()) return reply(std::move(target).status());
            if (auto status = validate_identity(request.identity()); !status.ok()) {
                return reply(std::move(status));
            }
            if (!validate_blob(request.details(), space->limits).ok()) {
                return services.engine.fail_activity(
                    space.view(), target->run, target->token, too_large(kDetailsTooLarge),
                    std::nullopt, request.identity(), done<Response>(std::move(reply)));
            }
            services.engine.cancel_activity(space.view(), target->run, target->token,
                                            std::move(*request.mutable_details()),
                                            request.identity(), done<Response>(std::move(reply)));
        });
}

}  // namespace

void add_activity_methods(MethodTable& table, Services& services) {
    table.add_namespaced<service::PollActivityTaskQueueRequest, PollActivity>(
        "PollActivityTaskQueue",
        [&services](RequestContext context, AuthorizedNamespace space, auto request, auto reply) {
            poll(services, std::move(context), space, std::move(request), std::move(reply));
        });
    add_heartbeat<service::RecordActivityTaskHeartbeatRequest, HeartbeatResponse>(
        table, services, "RecordActivityTaskHeartbeat");
    add_heartbeat<service::RecordActivityTaskHeartbeatByIdRequest,
                  service::RecordActivityTaskHeartbeatByIdResponse>(
        table, services, "RecordActivityTaskHeartbeatById");
    add_completed<service::RespondActivityTaskCompletedRequest,
                  service::RespondActivityTaskCompletedResponse>(table, services,
                                                                 "RespondActivityTaskCompleted");
    add_completed<service::RespondActivityTaskCompletedByIdRequest,
                  service::RespondActivityTaskCompletedByIdResponse>(
        table, services, "RespondActivityTaskCompletedById");
    add_failed<service::RespondActivityTaskFailedRequest,
               service::RespondActivityTaskFailedResponse>(table, services,
                                                           "RespondActivityTaskFailed");
    add_failed<service::RespondActivityTaskFailedByIdRequest,
               service::RespondActivityTaskFailedByIdResponse>(table, services,
                                                               "RespondActivityTaskFailedById");
    add_canceled<service::RespondActivityTaskCanceledRequest,
                 service::RespondActivityTaskCanceledResponse>(table, services,
                                                               "RespondActivityTaskCanceled");
    add_canceled<service::RespondActivityTaskCanceledByIdRequest,
                 service::RespondActivityTaskCanceledByIdResponse>(
        table, services, "RespondActivityTaskCanceledById");
}

}  // namespace stele::frontend
