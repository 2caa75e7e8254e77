#include "history/activity_control.h"

#include "history/activity.h"
#include "history/pause.h"

#include <vector>

// Pausing, unpausing and resetting activities.
namespace stele::history {
namespace {

storage::ActivityPause pause_of(const PauseActivityInput& input, Timestamp now) {
    storage::ActivityPause pause;
    *pause.mutable_time() = to_proto(now);
    pause.set_identity(input.identity);
    pause.set_reason(input.reason);
    pause.set_request_id(input.request_id);
    return pause;
}

Timestamp within(Duration jitter, const Context& context) {
    const double offset = static_cast<double>(jitter.count()) * context.uniform();
    return add_saturating(context.now, Duration(static_cast<Duration::rep>(offset)));
}

void reset_one(Builder& builder, ItemId id, const ResetActivityInput& input) {
    storage::ActivityRow& row = builder.draft().activities.edit(id);
    row.set_attempt(1);
    row.set_reset(true);
    if (input.reset_heartbeats) row.set_reset_heartbeats(true);
    if (input.restore_original_options) {
        builder.withdraw_activity_dispatch(row);  // the queue may become another
        restore_timing_options(row);
    }
    if (!input.keep_paused) row.clear_pause();
    if (!is_started(row) && !row.has_pause()) {
        row.set_released(is_paused(builder.header()));
        reschedule_attempt(builder, row, within(input.jitter, builder.context()));
    }
}

Applied<None> finish(Builder& builder) {
    update_pause_info(builder);
    return {std::move(builder).finish(), {}};
}

}  // namespace

absl::StatusOr<std::vector<ItemId>> select_activities(const Run& run,
                                                      const ActivitySelector& selector) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    std::vector<ItemId> selected;
    if (selector.by == ActivitySelector::By::kId) {
        if (const auto id = run.activities.id_of(selector.name)) selected.push_back(*id);
    } else {
        for (const auto& [id, row] : run.activities.rows()) {
            const bool meant =
                selector.by == ActivitySelector::By::kAll || row.activity_type() == selector.name;
            if (meant) selected.push_back(id);
        }
    }
    if (selected.empty()) {
        return not_found(
            "Can't find pending activity with such ID. Invalid activityID or activity already "
            "completed");
    }
    return selected;
}

void pause_activity(Builder& builder, storage::ActivityRow& row, storage::ActivityPause pause) {
    *row.mutable_pause() = std::move(pause);
    row.clear_released();
    if (is_started(row)) return;  // its worker may finish the attempt
    builder.withdraw_activity_dispatch(row);
    row.clear_next_attempt_time();
    row.set_stamp(row.stamp() + 1);  // matching may still hold an offer
}

absl::StatusOr<Applied<None>> pause_activities(const Run& run, const PauseActivityInput& input,
                                               const Context& context) {
    STELE_ASSIGN_OR_RETURN(const std::vector<ItemId> selected,
                           select_activities(run, input.activities));
    Builder builder(run, context);
    builder.transition().empty = true;
    for (const ItemId id : selected) {
        const storage::ActivityRow& row = *builder.draft().activities.find(id);
        if (row.has_pause()) {
            if (row.pause().request_id() == input.request_id) continue;
            return failed_precondition("activity is already paused");
        }
        pause_activity(builder, builder.draft().activities.edit(id), pause_of(input, context.now));
        builder.transition().empty = false;
    }
    return finish(builder);
}

absl::StatusOr<Applied<None>> unpause_activities(const Run& run, const UnpauseActivityInput& input,
                                                 const Context& context) {
    STELE_ASSIGN_OR_RETURN(const std::vector<ItemId> selected,
                           select_activities(run, input.activities));
    Builder builder(run, context);
    builder.transition().empty = true;
    for (const ItemId id : selected) {
        if (!builder.draft().activities.find(id)->has_pause()) continue;
        storage::ActivityRow& row = builder.draft().activities.edit(id);
        row.clear_pause();
        if (input.reset_attempts) row.set_attempt(1);
        if (input.reset_heartbeats) forget_heartbeats(row);
        if (!is_started(row)) {
            row.set_released(is_paused(builder.header()));
            reschedule_attempt(builder, row, within(input.jitter, context));
        }
        builder.transition().empty = false;
    }
    return finish(builder);
}

absl::StatusOr<Applied<None>> reset_activities(const Run& run, const ResetActivityInput& input,
                                               const Context& context) {
    STELE_ASSIGN_OR_RETURN(const std::vector<ItemId> selected,
                           select_activities(run, input.activities));
    Builder builder(run, context);
    for (const ItemId id : selected) reset_one(builder, id, input);
    return finish(builder);
}

}  // namespace stele::history
