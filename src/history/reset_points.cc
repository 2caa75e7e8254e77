#include "history/reset_points.h"

namespace stele::history {

void add_reset_point(
    storage::HeaderRow& header, const std::string& run_id,
    const temporal::api::history::v1::WorkflowTaskCompletedEventAttributes& attributes,
    const CompletedBy& completed, int limit) {
    const std::string& build_id = attributes.has_deployment_version()
                                      ? attributes.deployment_version().build_id()
                                      : attributes.worker_version().build_id();
    auto& points = *header.mutable_reset_points()->mutable_points();
    for (const auto& point : points) {
        const bool known = point.binary_checksum() == attributes.binary_checksum() &&
                           point.build_id() == build_id;
        if (known) return;
    }
    auto& point = *points.Add();
    point.set_binary_checksum(attributes.binary_checksum());
    point.set_build_id(build_id);
    point.set_run_id(run_id);
    point.set_first_workflow_task_completed_id(completed.completed.value());
    *point.mutable_create_time() = to_proto(completed.when);
    point.set_resettable(completed.resettable);
    if (points.size() > limit) points.DeleteSubrange(0, points.size() - limit);
}

}  // namespace stele::history
