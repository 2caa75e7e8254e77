#include "frontend/reachability.h"

#include "frontend/version_sets.h"
#include "history/build_ids.h"
#include "temporal/api/enums/v1/task_queue.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"
#include "visibility/attribute_names.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace stele::frontend {
namespace {

namespace enums = api::enums::v1;
namespace filter = visibility::filter;
using Request = service::GetWorkerTaskReachabilityRequest;
using Response = service::GetWorkerTaskReachabilityResponse;
using api::taskqueue::v1::TaskQueueReachability;

// ---- What to look for in lists -------------------------------------------------------------------

filter::Node status_is(filter::Operator op) {
    return visibility::run_condition("ExecutionStatus", op,
                                     {std::int64_t{enums::WORKFLOW_EXECUTION_STATUS_RUNNING}});
}

/// How a build is reached in one task queue, as far as its sets tell; nullopt: not at all.
struct Place {
    bool is_default_in_queue = false;
    bool by_new_workflows = false;
    std::vector<filter::Value> marks;  // in the search attribute BuildIds
};

std::optional<Place> unversioned_place(const storage::VersionSets& sets, Timestamp now,
                                       Duration after_default) {
    Place place;
    place.marks = {std::string(history::kUnversioned)};
    place.is_default_in_queue = sets.sets().empty();
    Timestamp versioned_since = kNever;
    for (const storage::VersionSet& set : sets.sets()) {
        versioned_since = std::min(versioned_since, from_proto(set.became_default()));
    }
    // Workers may not have learnt yet that the queue has versions.
    place.by_new_workflows =
        place.is_default_in_queue || now < add_saturating(versioned_since, after_default);
    return place;
}

std::optional<Place> versioned_place(const storage::VersionSets& sets, const std::string& build_id,
                                     Timestamp now, Duration after_default) {
    const std::optional<BuildPlace> found = find_build(sets, build_id);
    if (!found) return std::nullopt;
    const storage::VersionSet& set = sets.sets(found->set);
    if (found->build != set.build_ids_size() - 1) return std::nullopt;
    Place place;
    place.is_default_in_queue = found->set == sets.sets_size() - 1;
    place.by_new_workflows = place.is_default_in_queue ||
                             now < add_saturating(from_proto(set.became_default()), after_default);
    for (const std::string& build : set.build_ids()) {
        place.marks.emplace_back(history::versioned_mark(build));
    }
    return place;
}

filter::Filter existing_workflows(const std::string& queue, const Place& place,
                                  enums::TaskReachability kind) {
    using filter::Node;
    using filter::Operator;
    std::vector<Node> builds = {
        visibility::run_condition(history::kBuildIds, Operator::kIn, place.marks)};
    // A workflow that no worker has touched yet will go to the default.
    if (place.is_default_in_queue && kind != enums::TASK_REACHABILITY_CLOSED_WORKFLOWS) {
        builds.push_back(visibility::run_condition(history::kBuildIds, Operator::kIsNull, {}));
    }
    std::vector<Node> all = {visibility::run_condition("TaskQueue", Operator::kEqual, {queue}),
                             filter::joined(Node::Kind::kOr, std::move(builds))};
    if (kind == enums::TASK_REACHABILITY_OPEN_WORKFLOWS) all.push_back(status_is(Operator::kEqual));
    if (kind == enums::TASK_REACHABILITY_CLOSED_WORKFLOWS) {
        all.push_back(status_is(Operator::kNotEqual));
    }
    filter::Filter result;
    result.where = filter::joined(Node::Kind::kAnd, std::move(all));
    return result;
}

// ---- One request -----------------------------------------------------------------------------------

/// Counts what there is to be counted, one after the other. Holds itself alive until it has replied.
class Search : public std::enable_shared_from_this<Search> {
public:
    Search(Services& services, std::string namespace_id, Reply<Response> reply)
        : services_(services), namespace_id_(std::move(namespace_id)), reply_(std::move(reply)) {}

    void run(Timestamp now, const VersioningSettings& settings, const Request& request) {
        kind_ = request.reachability() == enums::TASK_REACHABILITY_UNSPECIFIED
                    ? enums::TASK_REACHABILITY_EXISTING_WORKFLOWS
                    : request.reachability();
        if (!enums::TaskReachability_IsValid(kind_)) {
            return reply_(invalid_argument("Unsupported reachability type: " +
                                           std::to_string(request.reachability())));
        }
        for (const std::string& build : request.build_ids()) {
            std::vector<std::string> queues(request.task_queues().begin(),
                                            request.task_queues().end());
            if (queues.empty()) {
                queues = services_.task_queue_configs.queues_of_build(namespace_id_, build);
            }
            look_up(now, settings, build, queues);
        }
        count_from(0);
    }

private:
    struct Count {
        int build;
        int queue;
        filter::Filter filter;
    };

    void look_up(Timestamp now, const VersioningSettings& settings, const std::string& build,
                 const std::vector<std::string>& queues) {
        auto& answer = *response_.add_build_id_reachability();
        answer.set_build_id(build);
        for (const std::string& queue : queues) {
            const auto index = static_cast<std::size_t>(answer.task_queue_reachability_size());
            TaskQueueReachability& reachability = *answer.add_task_queue_reachability();
            reachability.set_task_queue(queue);
            if (index >= settings.reachability_queues) {
                reachability.add_reachability(enums::TASK_REACHABILITY_UNSPECIFIED);
                continue;
            }
            const storage::VersionSets sets =
                services_.task_queue_configs.version_sets(namespace_id_, queue);
            const std::optional<Place> place =
                build.empty() ? unversioned_place(sets, now, settings.reachable_after_default)
                              : versioned_place(sets, build, now, settings.reachable_after_default);
            if (!place) continue;
            if (place->by_new_workflows) {
                reachability.add_reachability(enums::TASK_REACHABILITY_NEW_WORKFLOWS);
            }
            if (kind_ == enums::TASK_REACHABILITY_NEW_WORKFLOWS) continue;
            counts_.push_back({response_.build_id_reachability_size() - 1, static_cast<int>(index),
                               existing_workflows(queue, *place, kind_)});
        }
    }

    void count_from(std::size_t index) {
        if (index == counts_.size()) return reply_(std::move(response_));
        services_.visibility.count(
            {namespace_id_, counts_[index].filter},
            [self = shared_from_this(), index](absl::StatusOr<visibility::CountResult> found) {
                if (!found.ok()) return self->reply_(std::move(found).status());
                if (found->count > 0) self->found(self->counts_[index]);
                self->count_from(index + 1);
            });
    }

    void found(const Count& count) {
        response_.mutable_build_id_reachability(count.build)
            ->mutable_task_queue_reachability(count.queue)
            ->add_reachability(kind_);
    }

    Services& services_;
    const std::string namespace_id_;
    Reply<Response> reply_;
    enums::TaskReachability kind_{};
    std::vector<Count> counts_;
    Response response_;
};

}  // namespace

void find_reachability(Services& services, Timestamp now, const std::string& namespace_id,
                       const VersioningSettings& settings, Request request, Reply<Response> reply) {
    std::make_shared<Search>(services, namespace_id, std::move(reply))->run(now, settings, request);
}

}  // namespace stele::frontend
