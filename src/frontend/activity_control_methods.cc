#include "frontend/services.h"
#include "frontend/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

// What operators do to pending activities: pause, unpause, reset, change options. Each comes in two
// shapes: one names activities of a workflow by id or type, the other one activity by its id.
namespace stele::frontend {
namespace {

using history::ActivitySelector;
using By = ActivitySelector::By;

// ---- The requests that name a workflow execution --------------------------------------------

template <typename Request>
bool names_all(const Request& request) {
    if constexpr (requires { request.match_all(); }) {
        return request.activity_case() == Request::kMatchAll;
    } else if constexpr (requires { request.unpause_all(); }) {
        return request.activity_case() == Request::kUnpauseAll;
    } else {
        return false;
    }
}

template <typename Request>
ActivitySelector selector_of(const Request& request) {
    if (names_all(request)) return {By::kAll, {}};
    if (request.activity_case() == Request::kType) return {By::kType, request.type()};
    return {By::kId, request.id()};
}

template <typename Request>
absl::Status validate_selection(const Request& request) {
    if (request.execution().workflow_id().empty()) {
        return invalid_argument("WorkflowId is not set on request.");
    }
    if (request.activity_case() == Request::ACTIVITY_NOT_SET) {
        return invalid_argument("Either Activity.Id or Activity.Type should be set on request.");
    }
    if (!is_run_id(request.execution().run_id())) return invalid_argument("Invalid RunId.");
    return absl::OkStatus();
}

// ---- The requests that name one activity ----------------------------------------------------

absl::Status validate_length(const char* field, std::string_view value, std::size_t limit) {
    if (value.size() <= limit) return absl::OkStatus();
    return invalid_argument(
        fmt::format("{} exceeds length limit. Length={} Limit={}", field, value.size(), limit));
}

template <typename Request>
absl::Status validate_single(const Request& request, const history::Limits& limits) {
    if (request.workflow_id().empty()) return unimplemented("Standalone activity is disabled");
    STELE_RETURN_IF_ERROR(validate_length("request ID", request.request_id(), limits.id_length));
    if (request.activity_id().empty()) return invalid_argument("activity ID is required");
    STELE_RETURN_IF_ERROR(validate_length("activity ID", request.activity_id(), limits.id_length));
    STELE_RETURN_IF_ERROR(validate_length("identity", request.identity(), limits.id_length));
    if (!is_run_id(request.run_id())) {
        return invalid_argument("invalid run id: must be a valid UUID");
    }
    return absl::OkStatus();
}

template <typename Request>
absl::Status validate_jitter(Request& request) {
    if (!request.has_jitter()) return absl::OkStatus();
    const absl::Status status = validate_duration(*request.mutable_jitter());
    if (status.ok()) return status;
    return invalid_argument("invalid jitter: " + message_of(status));
}

/// The paths that a mask may name; a caller that misspells one must learn of it.
absl::Status validate_mask(const google::protobuf::FieldMask& mask) {
    static constexpr std::array<std::string_view, 15> kKnown = {
        "taskQueue.name",
        "scheduleToCloseTimeout",
        "scheduleToStartTimeout",
        "startToCloseTimeout",
        "heartbeatTimeout",
        "priority",
        "priority.priorityKey",
        "priority.fairnessKey",
        "priority.fairnessWeight",
        "retryPolicy",
        "retryPolicy.initialInterval",
        "retryPolicy.backoffCoefficient",
        "retryPolicy.maximumInterval",
        "retryPolicy.maximumAttempts",
        "startDelay"};
    if (mask.paths_size() == 0) {
        return invalid_argument("UpdateMask must specify at least one path");
    }
    for (const std::string& path : mask.paths()) {
        google::protobuf::FieldMask single;
        single.add_paths(path);
        const std::string json = *history::mask_paths(single).begin();
        if (std::find(kKnown.begin(), kKnown.end(), json) == kKnown.end()) {
            return invalid_argument(fmt::format("unsupported update_mask path: \"{}\"", path));
        }
    }
    return absl::OkStatus();
}

absl::Status validate_single_update(const service::UpdateActivityExecutionOptionsRequest& request,
                                    const history::Limits& limits) {
    STELE_RETURN_IF_ERROR(validate_single(request, limits));
    if (request.restore_original()) {
        if (request.update_mask().paths_size() == 0) return absl::OkStatus();
        return invalid_argument("Both UpdateMask and RestoreOriginal are provided");
    }
    if (!request.has_activity_options()) {
        return invalid_argument("ActivityOptions are not provided");
    }
    if (!request.has_update_mask()) return invalid_argument("UpdateMask is not provided");
    STELE_RETURN_IF_ERROR(validate_mask(request.update_mask()));
    return validate_priority(request.activity_options().priority());
}

template <typename Request>
RunRef single_run(const AuthorizedNamespace& space, const Request& request) {
    return {space->id, request.workflow_id(), request.run_id()};
}

// ---- From requests to commands of the core --------------------------------------------------

template <typename Request>
history::PauseActivityInput pause_input(ActivitySelector activities, const Request& request) {
    return {std::move(activities), request.identity(), request.reason(), request.request_id()};
}

template <typename Request>
history::UpdateActivityOptionsInput update_input(ActivitySelector activities,
                                                 const Request& request) {
    history::UpdateActivityOptionsInput input;
    input.activities = std::move(activities);
    if (request.has_activity_options()) input.options = request.activity_options();
    if (request.has_update_mask()) input.mask = request.update_mask();
    input.restore_original = request.restore_original();
    return input;
}

template <typename Response>
Reply<history::ActivityOptions> with_options(Reply<Response> reply) {
    return [reply = std::move(reply)](absl::StatusOr<history::ActivityOptions> options) mutable {
        if (!options.ok()) return reply(std::move(options).status());
        Response response;
        *response.mutable_activity_options() = *std::move(options);
        reply(std::move(response));
    };
}

void add_pause(MethodTable& table, Services& services) {
    using Response = service::PauseActivityResponse;
    table.add_namespaced<service::PauseActivityRequest, Response>(
        "PauseActivity",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::PauseActivityRequest request, Reply<Response> reply) {
            if (auto status = validate_selection(request); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.pause_activities(space.view(), run_ref(space, request.execution()),
                                             pause_input(selector_of(request), request),
                                             done<Response>(std::move(reply)));
        });
    using SingleResponse = service::PauseActivityExecutionResponse;
    table.add_namespaced<service::PauseActivityExecutionRequest, SingleResponse>(
        "PauseActivityExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::PauseActivityExecutionRequest request, Reply<SingleResponse> reply) {
            if (auto status = validate_single(request, space->limits); !status.ok()) {
                return reply(std::move(status));
            }
            if (request.reason().size() > space->limits.blob_bytes) {
                return reply(invalid_argument("reason exceeds length limit"));
            }
            if (request.request_id().empty()) {
                request.set_request_id(env::new_uuid(services.env.random()));
            }
            services.engine.pause_activities(
                space.view(), single_run(space, request),
                pause_input({By::kId, request.activity_id()}, request),
                done<SingleResponse>(std::move(reply)));
        });
}

void add_unpause(MethodTable& table, Services& services) {
    using Response = service::UnpauseActivityResponse;
    table.add_namespaced<service::UnpauseActivityRequest, Response>(
        "UnpauseActivity",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::UnpauseActivityRequest request, Reply<Response> reply) {
            if (auto status = validate_selection(request); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.unpause_activities(
                space.view(), run_ref(space, request.execution()),
                {selector_of(request), request.reset_attempts(), request.reset_heartbeat(),
                 from_proto(request.jitter())},
                done<Response>(std::move(reply)));
        });
    using SingleResponse = service::UnpauseActivityExecutionResponse;
    table.add_namespaced<service::UnpauseActivityExecutionRequest, SingleResponse>(
        "UnpauseActivityExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::UnpauseActivityExecutionRequest request, Reply<SingleResponse> reply) {
            absl::Status status = validate_single(request, space->limits);
            if (status.ok()) status = validate_jitter(request);
            if (!status.ok()) return reply(std::move(status));
            services.engine.unpause_activities(
                space.view(), single_run(space, request),
                {{By::kId, request.activity_id()}, false, false, from_proto(request.jitter())},
                done<SingleResponse>(std::move(reply)));
        });
}

void add_reset(MethodTable& table, Services& services) {
    using Response = service::ResetActivityResponse;
    table.add_namespaced<service::ResetActivityRequest, Response>(
        "ResetActivity", [&services](RequestContext, AuthorizedNamespace space,
                                     service::ResetActivityRequest request, Reply<Response> reply) {
            if (auto status = validate_selection(request); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.reset_activities(
                space.view(), run_ref(space, request.execution()),
                {selector_of(request), request.reset_heartbeat(), request.keep_paused(),
                 request.restore_original_options(), from_proto(request.jitter())},
                done<Response>(std::move(reply)));
        });
    using SingleResponse = service::ResetActivityExecutionResponse;
    table.add_namespaced<service::ResetActivityExecutionRequest, SingleResponse>(
        "ResetActivityExecution",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::ResetActivityExecutionRequest request, Reply<SingleResponse> reply) {
            absl::Status status = validate_single(request, space->limits);
            if (status.ok()) status = validate_jitter(request);
            if (!status.ok()) return reply(std::move(status));
            services.engine.reset_activities(
                space.view(), single_run(space, request),
                {{By::kId, request.activity_id()},
                 request.reset_heartbeat(),
                 request.keep_paused(),
                 request.restore_original_options(),
                 from_proto(request.jitter())},
                done<SingleResponse>(std::move(reply)));
        });
}

void add_update_options(MethodTable& table, Services& services) {
    using Response = service::UpdateActivityOptionsResponse;
    table.add_namespaced<service::UpdateActivityOptionsRequest, Response>(
        "UpdateActivityOptions",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::UpdateActivityOptionsRequest request, Reply<Response> reply) {
            absl::Status status = validate_selection(request);
            if (status.ok()) status = validate_priority(request.activity_options().priority());
            if (!status.ok()) return reply(std::move(status));
            services.engine.update_activity_options(
                space.view(), run_ref(space, request.execution()),
                update_input(selector_of(request), request),
                with_options<Response>(std::move(reply)));
        });
    using SingleResponse = service::UpdateActivityExecutionOptionsResponse;
    table.add_namespaced<service::UpdateActivityExecutionOptionsRequest, SingleResponse>(
        "UpdateActivityExecutionOptions",
        [&services](RequestContext, AuthorizedNamespace space,
                    service::UpdateActivityExecutionOptionsRequest request,
                    Reply<SingleResponse> reply) {
            if (auto status = validate_single_update(request, space->limits); !status.ok()) {
                return reply(std::move(status));
            }
            services.engine.update_activity_options(
                space.view(), single_run(space, request),
                update_input({By::kId, request.activity_id()}, request),
                with_options<SingleResponse>(std::move(reply)));
        });
}

}  // namespace

void add_activity_control_methods(MethodTable& table, Services& services) {
    add_pause(table, services);
    add_unpause(table, services);
    add_reset(table, services);
    add_update_options(table, services);
}

}  // namespace stele::frontend
