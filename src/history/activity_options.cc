#include "history/activity_control.h"

#include "history/activity.h"
#include "history/activity_attributes.h"

#include <utility>
#include <vector>

// Changing the options of an activity while it is pending.
namespace stele::history {
namespace {

// ---- A mask lays some fields of one message over another ------------------------------------

using Paths = std::set<std::string>;

std::string lower_first(std::string word) {
    if (!word.empty() && word[0] >= 'A' && word[0] <= 'Z') {
        word[0] = static_cast<char>(word[0] - 'A' + 'a');
    }
    return word;
}

std::string json_path(const std::string& path) {
    std::string json;
    std::string word;
    bool first_word = true;
    const auto end_word = [&] {
        std::string lower = word;
        for (char& letter : lower) {
            if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
        }
        if (!first_word && !lower.empty() && lower[0] >= 'a' && lower[0] <= 'z') {
            lower[0] = static_cast<char>(lower[0] - 'a' + 'A');
        }
        json += first_word ? lower_first(word) : lower;
        word.clear();
    };
    for (const char letter : path) {
        if (letter != '_' && letter != '.') {
            word.push_back(letter);
            continue;
        }
        end_word();
        first_word = letter == '.';
        if (letter == '.') json.push_back('.');
    }
    end_word();
    return json;
}

bool names_below(const Paths& paths, const std::string& parent) {
    const auto first = paths.lower_bound(parent + ".");
    return first != paths.end() && first->starts_with(parent + ".");
}

absl::Status merge_priority(ActivityOptions& into, const ActivityOptions& from,
                            const Paths& paths) {
    if (paths.contains("priority")) {
        into.clear_priority();
        if (from.has_priority()) *into.mutable_priority() = from.priority();
    }
    if (!names_below(paths, "priority")) return absl::OkStatus();
    if (!from.has_priority()) return invalid_argument("Priority is not provided");
    auto& priority = *into.mutable_priority();
    if (paths.contains("priority.priorityKey")) {
        priority.set_priority_key(from.priority().priority_key());
    }
    if (paths.contains("priority.fairnessKey")) {
        priority.set_fairness_key(from.priority().fairness_key());
    }
    if (paths.contains("priority.fairnessWeight")) {
        priority.set_fairness_weight(from.priority().fairness_weight());
    }
    return absl::OkStatus();
}

absl::Status merge_retry_policy(ActivityOptions& into, const ActivityOptions& from,
                                const Paths& paths) {
    const bool whole = paths.contains("retryPolicy");
    if (!whole && !names_below(paths, "retryPolicy")) return absl::OkStatus();
    if (!from.has_retry_policy()) return invalid_argument("RetryPolicy is not provided");
    const RetryPolicy& wanted = from.retry_policy();
    RetryPolicy& policy = *into.mutable_retry_policy();
    if (whole) policy = wanted;
    if (paths.contains("retryPolicy.initialInterval")) {
        *policy.mutable_initial_interval() = wanted.initial_interval();
    }
    if (paths.contains("retryPolicy.backoffCoefficient")) {
        policy.set_backoff_coefficient(wanted.backoff_coefficient());
    }
    if (paths.contains("retryPolicy.maximumInterval")) {
        *policy.mutable_maximum_interval() = wanted.maximum_interval();
    }
    if (paths.contains("retryPolicy.maximumAttempts")) {
        policy.set_maximum_attempts(wanted.maximum_attempts());
    }
    // A policy that was given as a whole may leave as much open as one at scheduling.
    if (whole) fill_retry_policy(policy);
    return validate_retry_policy(policy);
}

absl::Status merge_options(ActivityOptions& into, const ActivityOptions& from,
                           const Paths& paths) {
    if (paths.contains("taskQueue.name")) {
        if (!from.has_task_queue()) return invalid_argument("TaskQueue is not provided");
        into.mutable_task_queue()->set_name(from.task_queue().name());
    }
    if (paths.contains("scheduleToCloseTimeout")) {
        *into.mutable_schedule_to_close_timeout() = from.schedule_to_close_timeout();
    }
    if (paths.contains("scheduleToStartTimeout")) {
        *into.mutable_schedule_to_start_timeout() = from.schedule_to_start_timeout();
    }
    if (paths.contains("startToCloseTimeout")) {
        *into.mutable_start_to_close_timeout() = from.start_to_close_timeout();
    }
    if (paths.contains("heartbeatTimeout")) {
        *into.mutable_heartbeat_timeout() = from.heartbeat_timeout();
    }
    STELE_RETURN_IF_ERROR(merge_priority(into, from, paths));
    return merge_retry_policy(into, from, paths);
}

// ---- Options and rows ----------------------------------------------------------------------

ActivityOptions options_of(const storage::ActivityRow& row) {
    ActivityOptions options;
    options.mutable_task_queue()->set_name(row.task_queue());
    *options.mutable_schedule_to_close_timeout() = row.schedule_to_close();
    *options.mutable_schedule_to_start_timeout() = row.schedule_to_start();
    *options.mutable_start_to_close_timeout() = row.start_to_close();
    *options.mutable_heartbeat_timeout() = row.heartbeat();
    if (row.has_priority()) *options.mutable_priority() = row.priority();
    *options.mutable_retry_policy() = row.retry_policy();
    return options;
}

const ActivityOptions original_options(const storage::ActivityRow& row) {
    return row.has_original_options() ? row.original_options() : options_of(row);
}

/// All but the priority.
void set_timing_options(storage::ActivityRow& row, const ActivityOptions& options) {
    row.set_task_queue(options.task_queue().name());
    *row.mutable_schedule_to_close() = options.schedule_to_close_timeout();
    *row.mutable_schedule_to_start() = options.schedule_to_start_timeout();
    *row.mutable_start_to_close() = options.start_to_close_timeout();
    *row.mutable_heartbeat() = options.heartbeat_timeout();
    // What may not be retried was settled when the activity was scheduled.
    const auto types = row.retry_policy().non_retryable_error_types();
    *row.mutable_retry_policy() = options.retry_policy();
    *row.mutable_retry_policy()->mutable_non_retryable_error_types() = types;
}

void set_options(Builder& builder, storage::ActivityRow& row, const ActivityOptions& options) {
    if (!row.has_original_options()) *row.mutable_original_options() = options_of(row);
    // It waits in the queue that it was put into.
    builder.withdraw_activity_dispatch(row);
    set_timing_options(row, options);
    row.clear_priority();
    if (options.has_priority()) *row.mutable_priority() = options.priority();
    if (!is_started(row)) reschedule_attempt(builder, row, next_schedule_time(row));
}

/// The options of the row with those of the request laid over them.
absl::StatusOr<ActivityOptions> merged_options(const Builder& builder,
                                               const storage::ActivityRow& row,
                                               const ActivityOptions& changes,
                                               const Paths& paths) {
    ActivityOptions options = options_of(row);
    options.mutable_retry_policy()->clear_non_retryable_error_types();
    STELE_RETURN_IF_ERROR(merge_options(options, changes, paths));
    ScheduleActivityTaskCommandAttributes attributes;
    attributes.set_activity_id(row.activity_id());
    attributes.mutable_activity_type()->set_name(row.activity_type());
    *attributes.mutable_task_queue() = options.task_queue();
    *attributes.mutable_schedule_to_close_timeout() = options.schedule_to_close_timeout();
    *attributes.mutable_schedule_to_start_timeout() = options.schedule_to_start_timeout();
    *attributes.mutable_start_to_close_timeout() = options.start_to_close_timeout();
    *attributes.mutable_heartbeat_timeout() = options.heartbeat_timeout();
    STELE_RETURN_IF_ERROR(complete_activity_attributes(
        attributes, {*builder.context().limits, builder.info().task_queue(), {}}));
    *options.mutable_task_queue() = attributes.task_queue();
    *options.mutable_schedule_to_close_timeout() = attributes.schedule_to_close_timeout();
    *options.mutable_schedule_to_start_timeout() = attributes.schedule_to_start_timeout();
    *options.mutable_start_to_close_timeout() = attributes.start_to_close_timeout();
    *options.mutable_heartbeat_timeout() = attributes.heartbeat_timeout();
    return options;
}

}  // namespace

std::set<std::string> mask_paths(const google::protobuf::FieldMask& mask) {
    std::set<std::string> paths;
    for (const std::string& path : mask.paths()) paths.insert(json_path(path));
    return paths;
}

void restore_timing_options(storage::ActivityRow& row) {
    set_timing_options(row, original_options(row));
}

absl::StatusOr<Applied<ActivityOptions>> update_activity_options(
    const Run& run, const UpdateActivityOptionsInput& input, const Context& context) {
    if (input.restore_original && input.mask && input.mask->paths_size() > 0) {
        return invalid_argument("Both UpdateMask and RestoreOriginal are provided");
    }
    if (!run.is_open()) return not_found("workflow execution already completed");
    if (!input.restore_original && !input.options) {
        return invalid_argument("ActivityOptions are not provided");
    }
    STELE_ASSIGN_OR_RETURN(const std::vector<ItemId> selected,
                           select_activities(run, input.activities));
    if (!input.restore_original && !input.mask) {
        return invalid_argument("UpdateMask is not provided");
    }
    const Paths paths = input.mask ? mask_paths(*input.mask) : Paths();
    Builder builder(run, context);
    ActivityOptions changed;
    for (const ItemId id : selected) {
        storage::ActivityRow& row = builder.draft().activities.edit(id);
        if (input.restore_original) {
            changed = original_options(row);
        } else {
            STELE_ASSIGN_OR_RETURN(changed, merged_options(builder, row, *input.options, paths));
        }
        set_options(builder, row, changed);
    }
    return Applied<ActivityOptions>{std::move(builder).finish(), std::move(changed)};
}

}  // namespace stele::history
