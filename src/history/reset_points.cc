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
        const bool known =
            point.binary_checksum() == attributes.binary_checksum() && point.build_id() == build_id;
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

temporal::api::workflow::v1::ResetPoints carried_reset_points(
    temporal::api::workflow::v1::ResetPoints points, const std::string& previous, Timestamp now,
    Duration retention) {
    temporal::api::workflow::v1::ResetPoints carried;
    for (auto& point : *points.mutable_points()) {
        if (point.has_expire_time() && from_proto(point.expire_time()) < now) continue;
        if (point.run_id() == previous) {
            *point.mutable_expire_time() = to_proto(add_saturating(now, retention));
        }
        carried.add_points()->Swap(&point);
    }
    return carried;
}

}  // namespace stele::history
