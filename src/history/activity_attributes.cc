#include "history/activity_attributes.h"

#include "base/time.h"
#include "history/command_checks.h"
#include "history/retry_policy.h"

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

absl::Status validate_task_queue(ScheduleActivityTaskCommandAttributes& attributes,
                                 const ActivityBounds& bounds) {
    if (!attributes.has_task_queue()) return invalid_argument("taskQueue is not set");
    return validate_user_task_queue(*attributes.mutable_task_queue(), "",
                                    bounds.workflow_task_queue, bounds.limits);
}

absl::Status validate_length(const std::string& value, const std::string& field,
                             std::size_t limit) {
    if (value.size() <= limit) return absl::OkStatus();
    return invalid_argument(field + " exceeds length limit. Length=" +
                            std::to_string(value.size()) + " Limit=" + std::to_string(limit));
}

absl::Status validate_identity(ScheduleActivityTaskCommandAttributes& attributes,
                               std::size_t limit) {
    if (attributes.activity_id().empty()) return invalid_argument("activityId is not set");
    if (attributes.activity_type().name().empty()) {
        return invalid_argument("activityType is not set");
    }
    fill_retry_policy(*attributes.mutable_retry_policy());
    STELE_RETURN_IF_ERROR(validate_retry_policy(*attributes.mutable_retry_policy()));
    STELE_RETURN_IF_ERROR(validate_length(attributes.activity_id(), "activityId", limit));
    STELE_RETURN_IF_ERROR(
        validate_length(attributes.activity_type().name(), "activityType", limit));
    const absl::Status priority = validate_priority(attributes.priority());
    if (priority.ok()) return priority;
    return invalid_argument("invalid priorities: " + message_of(priority));
}

absl::Status validate_timeouts(ScheduleActivityTaskCommandAttributes& attributes) {
    STELE_RETURN_IF_ERROR(validate_duration(*attributes.mutable_schedule_to_close_timeout(),
                                            "invalid ScheduleToCloseTimeout"));
    STELE_RETURN_IF_ERROR(validate_duration(*attributes.mutable_schedule_to_start_timeout(),
                                            "invalid ScheduleToStartTimeout"));
    STELE_RETURN_IF_ERROR(validate_duration(*attributes.mutable_start_to_close_timeout(),
                                            "invalid StartToCloseTimeout"));
    return validate_duration(*attributes.mutable_heartbeat_timeout(), "invalid HeartbeatTimeout");
}

/// Makes `limit` what it is, or `bound` when it is not set or longer. A bound of zero is none.
void bound_by(google::protobuf::Duration& limit, const google::protobuf::Duration& bound) {
    const Duration longest = from_proto(bound);
    if (longest == Duration::zero()) return;
    const Duration asked = from_proto(limit);
    if (asked == Duration::zero() || asked > longest) limit = bound;
}

/// The same, but what is not set stays so.
void cap_by(google::protobuf::Duration& limit, const google::protobuf::Duration& bound) {
    if (from_proto(limit) != Duration::zero()) bound_by(limit, bound);
}

/// Fills in the timeouts that follow from the others: attempts lie within the whole activity, the
/// activity within its run.
absl::Status complete_timeouts(ScheduleActivityTaskCommandAttributes& attributes,
                               const google::protobuf::Duration& run_timeout) {
    auto& whole = *attributes.mutable_schedule_to_close_timeout();
    auto& queued = *attributes.mutable_schedule_to_start_timeout();
    auto& attempt = *attributes.mutable_start_to_close_timeout();
    const bool unlimited =
        from_proto(whole) == Duration::zero() && from_proto(attempt) == Duration::zero();
    if (unlimited) {
        return invalid_argument(
            "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. "
            "ActivityId=" +
            attributes.activity_id() + " ActivityType=" + attributes.activity_type().name());
    }
    bound_by(whole, run_timeout);
    bound_by(queued, whole);
    bound_by(attempt, whole);
    auto& heartbeat = *attributes.mutable_heartbeat_timeout();
    cap_by(heartbeat, attempt);
    return absl::OkStatus();
}

}  // namespace

absl::Status complete_activity_attributes(ScheduleActivityTaskCommandAttributes& attributes,
                                          const ActivityBounds& bounds) {
    STELE_RETURN_IF_ERROR(validate_task_queue(attributes, bounds));
    STELE_RETURN_IF_ERROR(validate_identity(attributes, bounds.limits.id_length));
    STELE_RETURN_IF_ERROR(validate_timeouts(attributes));
    return complete_timeouts(attributes, bounds.run_timeout);
}

}  // namespace stele::history
