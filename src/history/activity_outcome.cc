#include "base/probe.h"
#include "history/activity.h"

// What workers report about the attempts that they hold: completed, failed, cancelled, still alive.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using api::common::v1::Payloads;

constexpr char kActivityGone[] =
    "invalid activityID or activity already timed out or invoking workflow is completed";

/// Only a completion by id may speak for an activity that no worker holds.
enum class Unstarted { kRefuse, kAcceptById };

absl::StatusOr<ItemId> find_by_id(const Run& run, const std::string& activity_id) {
    if (activity_id.empty()) return invalid_argument("activityID cannot be empty");
    const std::optional<ItemId> id = run.activities.id_of(activity_id);
    if (!id) {
        return not_found("cannot find pending activity with ActivityID " + activity_id +
                         ", check workflow execution history for more details");
    }
    return *id;
}

/// The pending activity that the token speaks for.
absl::StatusOr<ItemId> find_activity(const Run& run, const ActivityToken& token,
                                     Unstarted unstarted) {
    if (!run.is_open()) return not_found("workflow execution already completed");
    ItemId id = token.scheduled.value();
    if (token.by_id) {
        STELE_ASSIGN_OR_RETURN(id, find_by_id(run, token.activity_id));
    }
    const storage::ActivityRow* row = run.activities.find(id);
    if (row == nullptr) return not_found(kActivityGone);
    const bool may_be_unstarted = token.by_id && unstarted == Unstarted::kAcceptById;
    if (!is_started(*row) && !may_be_unstarted) return not_found(kActivityGone);
    const bool same_attempt = token.attempt == row->attempt() && token.stamp == row->stamp();
    STELE_PROBE_IF("history.stale-activity-token", !same_attempt);
    if (!token.by_id && !same_attempt && !STELE_BUG("history.activity-token-not-checked"))
        return not_found(kActivityGone);
    return id;
}

/// The attributes of an outcome name the start that they answer.
template <typename Attributes>
void name_start(Attributes& attributes, const storage::ActivityRow& row, EventId started) {
    attributes.set_scheduled_event_id(row.scheduled_event_id());
    attributes.set_started_event_id(started.value());
}

bool is_given(const google::protobuf::Message& message) { return message.ByteSizeLong() > 0; }

/// The outcome is an event from outside: it is written or buffered, and the workflow must see it.
Applied<None> finish_with_outcome(Builder& builder, ItemId id, HistoryEvent outcome) {
    builder.add_or_buffer_event(std::move(outcome));
    forget_activity(builder, id);
    builder.schedule_workflow_task_if_needed();
    return {std::move(builder).finish(), {}};
}

void record_progress(Builder& builder, storage::ActivityRow& row, const Payloads& details) {
    row.clear_last_heartbeat_details();
    if (is_given(details)) *row.mutable_last_heartbeat_details() = details;
    *row.mutable_last_heartbeat_time() = to_proto(builder.now());
}

}  // namespace

absl::StatusOr<Applied<None>> complete_activity(const Run& run, const ActivityToken& token,
                                                const Payloads& result, const std::string& identity,
                                                const Context& context) {
    STELE_ASSIGN_OR_RETURN(const ItemId id, find_activity(run, token, Unstarted::kAcceptById));
    Builder builder(run, context);
    auto& activities = builder.draft().activities;
    // Replaying workers expect a start before each completion.
    if (!is_started(*activities.find(id)))
        start_attempt(builder, activities.edit(id), "", identity, "");
    const storage::ActivityRow& row = *activities.find(id);
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    auto& attributes = *event.mutable_activity_task_completed_event_attributes();
    name_start(attributes, row, write_started_event(builder, row));
    if (is_given(result)) *attributes.mutable_result() = result;
    attributes.set_identity(identity);
    return finish_with_outcome(builder, id, std::move(event));
}

absl::StatusOr<Applied<None>> fail_activity(const Run& run, const ActivityToken& token,
                                            const Failure& failure,
                                            const std::optional<Payloads>& last_heartbeat_details,
                                            const std::string& identity, const Context& context) {
    STELE_ASSIGN_OR_RETURN(const ItemId id, find_activity(run, token, Unstarted::kRefuse));
    Builder builder(run, context);
    storage::ActivityRow& row = builder.draft().activities.edit(id);
    if (last_heartbeat_details) record_progress(builder, row, *last_heartbeat_details);
    const RetryState state = retry_attempt(builder, row, failure);
    if (state == enums::RETRY_STATE_IN_PROGRESS) {
        return Applied<None>{std::move(builder).finish(), {}};
    }
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
    auto& attributes = *event.mutable_activity_task_failed_event_attributes();
    name_start(attributes, row, write_started_event(builder, row));
    if (is_given(failure)) *attributes.mutable_failure() = failure;
    attributes.set_identity(identity);
    attributes.set_retry_state(state);
    return finish_with_outcome(builder, id, std::move(event));
}

absl::StatusOr<Applied<None>> cancel_activity(const Run& run, const ActivityToken& token,
                                              const Payloads& details, const std::string& identity,
                                              const Context& context) {
    STELE_ASSIGN_OR_RETURN(const ItemId id, find_activity(run, token, Unstarted::kRefuse));
    Builder builder(run, context);
    const storage::ActivityRow& row = *builder.draft().activities.find(id);
    if (!row.cancel_requested()) {
        return invalid_argument(
            "unable to mark activity as canceled without activity being request canceled first");
    }
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
    auto& attributes = *event.mutable_activity_task_canceled_event_attributes();
    name_start(attributes, row, write_started_event(builder, row));
    attributes.set_latest_cancel_requested_event_id(row.cancel_request_event_id());
    if (is_given(details)) *attributes.mutable_details() = details;
    attributes.set_identity(identity);
    return finish_with_outcome(builder, id, std::move(event));
}

absl::StatusOr<Applied<HeartbeatReply>> record_heartbeat(const Run& run, const ActivityToken& token,
                                                         const Payloads& details,
                                                         const std::string& identity,
                                                         const Context& context) {
    STELE_ASSIGN_OR_RETURN(const ItemId id, find_activity(run, token, Unstarted::kRefuse));
    Builder builder(run, context);
    storage::ActivityRow& row = builder.draft().activities.edit(id);
    if (!identity.empty()) row.set_last_worker_identity(identity);
    record_progress(builder, row, details);
    HeartbeatReply reply;
    reply.cancel_requested = row.cancel_requested();
    reply.paused = row.has_pause();
    reply.reset = row.reset();
    return Applied<HeartbeatReply>{std::move(builder).finish(), reply};
}

}  // namespace stele::history
