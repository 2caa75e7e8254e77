#pragma once

#include "history/commands.h"
#include "temporal/api/activity/v1/message.pb.h"

#include <google/protobuf/field_mask.pb.h>

#include <optional>
#include <set>
#include <string>

// What an operator does to the pending activities of a run: pause, unpause, reset, change options.
// As with every command of the core, a refusal changes nothing, even where it concerns one activity
// of several. NOT_FOUND when the run is closed, or when no activity is meant.
namespace stele::history {

/// Which pending activities are meant.
struct ActivitySelector {
    enum class By { kId, kType, kAll };
    By by = By::kId;
    std::string name;  // the id, or the type
};

struct PauseActivityInput {
    ActivitySelector activities;
    std::string identity;
    std::string reason;
    std::string request_id;
};
/// No further attempt begins, and no timeout fires, until the activity is unpaused. An attempt that
/// a worker holds may end. Idempotent by request id; FAILED_PRECONDITION when it was paused by
/// another request.
absl::StatusOr<Applied<None>> pause_activities(const Run& run, const PauseActivityInput& input,
                                               const Context& context);

struct UnpauseActivityInput {
    ActivitySelector activities;
    bool reset_attempts = false;
    bool reset_heartbeats = false;
    Duration jitter{};  // the next attempt begins within it
};
/// The next attempt begins at once, or within the jitter. Those that are not paused stay as they are.
absl::StatusOr<Applied<None>> unpause_activities(const Run& run, const UnpauseActivityInput& input,
                                                 const Context& context);

struct ResetActivityInput {
    ActivitySelector activities;
    bool reset_heartbeats = false;
    bool keep_paused = false;
    bool restore_original_options = false;
    Duration jitter{};
};
/// Attempts count from 1 again and the next one begins at once. A worker that holds one learns of it
/// from its next heartbeat.
absl::StatusOr<Applied<None>> reset_activities(const Run& run, const ResetActivityInput& input,
                                               const Context& context);

using api::activity::v1::ActivityOptions;

struct UpdateActivityOptionsInput {
    ActivitySelector activities;
    std::optional<ActivityOptions> options;
    std::optional<google::protobuf::FieldMask> mask;
    bool restore_original = false;  // those that the activity was scheduled with; with no mask
};
/// Changes the options that the mask names, which must fit the others as they do at scheduling. What
/// waits is rescheduled by the new options; what a worker holds goes on under them. The reply is the
/// options of the last activity that was changed.
absl::StatusOr<Applied<ActivityOptions>> update_activity_options(
    const Run& run, const UpdateActivityOptionsInput& input, const Context& context);

/// The paths of a mask as JSON spells them, whichever way they were written: "retryPolicy.maximumAttempts".
std::set<std::string> mask_paths(const google::protobuf::FieldMask& mask);

}  // namespace stele::history
