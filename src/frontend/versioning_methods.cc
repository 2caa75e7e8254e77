#include "frontend/reachability.h"
#include "frontend/services.h"
#include "frontend/validation.h"
#include "frontend/version_sets.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

// The first form of worker versioning: sets of build ids, and which builds are still needed.
namespace stele::frontend {
namespace {

using UpdateRequest = service::UpdateWorkerBuildIdCompatibilityRequest;
using UpdateResponse = service::UpdateWorkerBuildIdCompatibilityResponse;
using GetRequest = service::GetWorkerBuildIdCompatibilityRequest;
using GetResponse = service::GetWorkerBuildIdCompatibilityResponse;

absl::Status disabled(const char* what) {
    return make_error(
        absl::StatusCode::kPermissionDenied,
        fmt::format("Worker versioning {}, deprecated) is disabled on this namespace.", what),
        api::errordetails::v1::PermissionDeniedFailure());
}

absl::Status validate_queue_name(const std::string& name, const history::Limits& limits) {
    api::taskqueue::v1::TaskQueue queue;
    queue.set_name(name);
    if (name.size() > limits.id_length) return invalid_argument("taskQueue length exceeds limit");
    return history::validate_task_queue(true, queue, kMaximumNameBytes);
}

/// What is missing in an update, in the words of the real server.
class Requirements {
public:
    explicit Requirements(std::size_t build_id_bytes) : build_id_bytes_(build_id_bytes) {}

    void set(bool is_set, const char* what) {
        if (!is_set) missing_.emplace_back(what);
    }
    void build_id(const std::string& id, const char* field) {
        set(!id.empty(), field);
        if (id.size() <= build_id_bytes_) return;
        missing_.push_back(
            fmt::format(" Worker build IDs to be no larger than {} characters", build_id_bytes_));
    }
    absl::Status status() const {
        if (missing_.empty()) return absl::OkStatus();
        std::string message = "request to update worker build ID compatability requires: ";
        for (const std::string& what : missing_) message += ", " + what;
        return invalid_argument(std::move(message));
    }

private:
    std::size_t build_id_bytes_;
    std::vector<std::string> missing_;
};

absl::Status validate_update(const UpdateRequest& request, const VersioningSettings& settings) {
    Requirements required(settings.build_id_bytes);
    required.set(!request.task_queue().empty(), "`task_queue` to be set");
    switch (request.operation_case()) {
        case UpdateRequest::kAddNewCompatibleBuildId: {
            const auto& added = request.add_new_compatible_build_id();
            required.build_id(added.new_build_id(), "`add_new_compatible_version` to be set");
            required.set(!added.existing_compatible_build_id().empty(),
                         "`existing_compatible_version` to be set");
            break;
        }
        case UpdateRequest::kAddNewBuildIdInNewDefaultSet:
            required.build_id(request.add_new_build_id_in_new_default_set(),
                              "`add_new_version_id_in_new_default_set` to be set");
            break;
        case UpdateRequest::kPromoteSetByBuildId:
            required.build_id(request.promote_set_by_build_id(),
                              "`promote_set_by_version_id` to be set");
            break;
        case UpdateRequest::kPromoteBuildIdWithinSet:
            required.build_id(request.promote_build_id_within_set(),
                              "`promote_version_id_within_set` to be set");
            break;
        case UpdateRequest::kMergeSets: break;
        case UpdateRequest::OPERATION_NOT_SET: required.set(false, "an operation to be specified");
    }
    return required.status();
}

/// The build that an update adds; empty when it adds none.
std::string added_build(const UpdateRequest& request) {
    if (request.has_add_new_compatible_build_id()) {
        return request.add_new_compatible_build_id().new_build_id();
    }
    return request.add_new_build_id_in_new_default_set();
}

/// A build is in the sets of so many queues only. Two updates at the same time may pass it by one.
absl::Status check_queues_of_build(const Services& services, const AuthorizedNamespace& space,
                                   const UpdateRequest& request,
                                   const VersioningSettings& settings) {
    const std::string build = added_build(request);
    if (build.empty()) return absl::OkStatus();
    const auto queues = services.task_queue_configs.queues_of_build(space->id, build);
    const bool has_it =
        std::find(queues.begin(), queues.end(), request.task_queue()) != queues.end();
    if (has_it || queues.size() < settings.queues_per_build) return absl::OkStatus();
    return failed_precondition(
        fmt::format("Exceeded max task queues allowed to be mapped to a single build ID: {}",
                    settings.queues_per_build));
}

void update_sets(Services& services, Timestamp now, const AuthorizedNamespace& space,
                 UpdateRequest request, Reply<UpdateResponse> reply) {
    const VersioningSettings settings = services.namespaces.settings(space->id).versioning;
    if (!settings.sets_allowed) return reply(disabled("v0.1 (Version Set-based"));
    absl::Status status = validate_update(request, settings);
    if (status.ok()) status = validate_queue_name(request.task_queue(), space->limits);
    if (status.ok()) status = check_queues_of_build(services, space, request, settings);
    if (!status.ok()) return reply(std::move(status));
    const std::string queue = request.task_queue();
    services.task_queue_configs.update_version_sets(
        space->id, queue,
        [request = std::move(request), now, settings](storage::VersionSets& sets) {
            return change_version_sets(sets, request, now,
                                       {settings.sets_per_queue, settings.builds_per_queue});
        },
        [reply = std::move(reply)](absl::StatusOr<storage::VersionSets> sets) mutable {
            if (!sets.ok()) return reply(std::move(sets).status());
            reply(UpdateResponse());
        });
}

void get_sets(Services& services, const AuthorizedNamespace& space, const GetRequest& request,
              Reply<GetResponse> reply) {
    if (!services.namespaces.settings(space->id).versioning.sets_allowed) {
        return reply(disabled("v0.1 (Version Set-based"));
    }
    absl::Status status = validate_queue_name(request.task_queue(), space->limits);
    if (!status.ok()) return reply(std::move(status));
    const storage::VersionSets sets =
        services.task_queue_configs.version_sets(space->id, request.task_queue());
    const int wanted =
        request.max_sets() > 0 ? std::min(request.max_sets(), sets.sets_size()) : sets.sets_size();
    GetResponse response;
    for (int i = sets.sets_size() - wanted; i < sets.sets_size(); ++i) {
        *response.add_major_version_sets()->mutable_build_ids() = sets.sets(i).build_ids();
    }
    reply(std::move(response));
}

absl::Status validate_reachability(const service::GetWorkerTaskReachabilityRequest& request,
                                   const VersioningSettings& settings,
                                   const history::Limits& limits) {
    const auto& builds = request.build_ids();
    if (builds.empty()) {
        return invalid_argument(
            "Must query at least one build ID (or empty string for unversioned worker)");
    }
    if (static_cast<std::size_t>(builds.size()) > settings.reachability_builds) {
        return invalid_argument(fmt::format("Too many build ids queried at once, limit: {}",
                                            settings.reachability_builds));
    }
    for (const std::string& build : builds) {
        if (build.size() > settings.build_id_bytes) {
            return invalid_argument(
                "Build ID exceeds configured limit.workerBuildIdSize, use a shorter build ID.");
        }
        if (build.empty() && request.task_queues().empty()) {
            return invalid_argument(
                "Cannot get reachability of an unversioned worker without specifying at least one "
                "task queue (empty build ID is interpereted as unversioned)");
        }
    }
    for (const std::string& queue : request.task_queues()) {
        STELE_RETURN_IF_ERROR(validate_queue_name(queue, limits));
    }
    return absl::OkStatus();
}

}  // namespace

void add_versioning_methods(MethodTable& table, Services& services) {
    table.add_namespaced<UpdateRequest, UpdateResponse>(
        "UpdateWorkerBuildIdCompatibility",
        [&services](RequestContext context, AuthorizedNamespace space, UpdateRequest request,
                    Reply<UpdateResponse> reply) {
            update_sets(services, context.now, space, std::move(request), std::move(reply));
        });
    table.add_namespaced<GetRequest, GetResponse>(
        "GetWorkerBuildIdCompatibility",
        [&services](RequestContext, AuthorizedNamespace space, const GetRequest& request,
                    Reply<GetResponse> reply) {
            get_sets(services, space, request, std::move(reply));
        });
    using ReachRequest = service::GetWorkerTaskReachabilityRequest;
    using ReachResponse = service::GetWorkerTaskReachabilityResponse;
    table.add_namespaced<ReachRequest, ReachResponse>(
        "GetWorkerTaskReachability", [&services](RequestContext context, AuthorizedNamespace space,
                                                 ReachRequest request, Reply<ReachResponse> reply) {
            const VersioningSettings settings = services.namespaces.settings(space->id).versioning;
            if (!settings.sets_allowed) return reply(disabled("v0.2 (Rules-based"));
            auto status = validate_reachability(request, settings, space->limits);
            if (!status.ok()) return reply(std::move(status));
            find_reachability(services, context.now, space->id, settings, std::move(request),
                              std::move(reply));
        });
}

}  // namespace stele::frontend
