#include "history/activity.h"
#include "history/activity_attributes.h"
#include "history/command_checks.h"
#include "history/event_rows.h"
#include "history/pause.h"

// Activities as commands make and unmake them.
namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

constexpr auto kBadSchedule = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_SCHEDULE_ACTIVITY_ATTRIBUTES;
constexpr auto kBadCancel =
    enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES;

/// The command with everything that it leaves open filled in.
absl::StatusOr<ScheduleActivityTaskCommandAttributes> normalised(const Command& command,
                                                                 const Builder& builder) {
    if (!command.has_schedule_activity_task_command_attributes()) {
        return invalid_argument(
            "ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.");
    }
    ScheduleActivityTaskCommandAttributes attributes =
        command.schedule_activity_task_command_attributes();
    STELE_RETURN_IF_ERROR(complete_activity_attributes(
        attributes,
        {*builder.context().limits, builder.info().task_queue(), builder.info().run_timeout()}));
    if (attributes.use_workflow_build_id() &&
        attributes.task_queue().name() != builder.info().task_queue()) {
        return invalid_argument(
            "Activity with UseCompatibleVersion cannot run on different task queue.");
    }
    return attributes;
}

CommandResult check_limits(const Completion& completion,
                           const ScheduleActivityTaskCommandAttributes& attributes) {
    const Limits& limits = *completion.builder.context().limits;
    if (attributes.input().ByteSizeLong() > limits.blob_bytes) {
        return Refusal{kBadSchedule,
                       "ScheduleActivityTaskCommandAttributes.Input exceeds size limit.", true};
    }
    if (CommandResult refusal =
            check_pending(completion.builder.draft().activities.size(), limits.pending_activities,
                          "pending activities",
                          enums::WORKFLOW_TASK_FAILED_CAUSE_PENDING_ACTIVITIES_LIMIT_EXCEEDED)) {
        return refusal;
    }
    const std::string& activity_id = attributes.activity_id();
    if (completion.builder.draft().activities.find_named(activity_id) != nullptr) {
        return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_SCHEDULE_ACTIVITY_DUPLICATE_ID,
                      "invalid history builder state for action: "
                      "add-activitytask-scheduled-event, ActivityID: " +
                          activity_id);
    }
    return std::nullopt;
}

// ---- Scheduling ----------------------------------------------------------------------------

HistoryEvent scheduled_event(const ScheduleActivityTaskCommandAttributes& from, EventId completed,
                             const Command& command) {
    HistoryEvent event = command_event(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, command);
    auto& to = *event.mutable_activity_task_scheduled_event_attributes();
    to.set_workflow_task_completed_event_id(completed.value());
    to.set_activity_id(from.activity_id());
    *to.mutable_activity_type() = from.activity_type();
    *to.mutable_task_queue() = from.task_queue();
    if (from.has_header()) *to.mutable_header() = from.header();
    if (from.has_input()) *to.mutable_input() = from.input();
    *to.mutable_schedule_to_close_timeout() = from.schedule_to_close_timeout();
    *to.mutable_schedule_to_start_timeout() = from.schedule_to_start_timeout();
    *to.mutable_start_to_close_timeout() = from.start_to_close_timeout();
    *to.mutable_heartbeat_timeout() = from.heartbeat_timeout();
    *to.mutable_retry_policy() = from.retry_policy();
    to.set_use_workflow_build_id(from.use_workflow_build_id());
    if (from.has_priority()) *to.mutable_priority() = from.priority();
    return event;
}

// ---- Cancelling ----------------------------------------------------------------------------

/// The activity that an outcome speaks of; kNoEvent for other events.
EventId outcome_of(const HistoryEvent& event) {
    switch (event.event_type()) {
        case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            return EventId(event.activity_task_completed_event_attributes().scheduled_event_id());
        case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
            return EventId(event.activity_task_failed_event_attributes().scheduled_event_id());
        case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
            return EventId(event.activity_task_timed_out_event_attributes().scheduled_event_id());
        case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
            return EventId(event.activity_task_canceled_event_attributes().scheduled_event_id());
        default: return kNoEvent;
    }
}

/// Whether the worker can not know yet that the activity has ended.
bool outcome_is_buffered(const Builder& builder, EventId scheduled) {
    return builder
        .find_buffered([&](const HistoryEvent& event) { return outcome_of(event) == scheduled; })
        .has_value();
}

/// No worker holds it, so nobody needs to agree.
void cancel_unstarted(Completion& completion, const storage::ActivityRow& row) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
    auto& attributes = *event.mutable_activity_task_canceled_event_attributes();
    attributes.set_scheduled_event_id(row.scheduled_event_id());
    attributes.set_latest_cancel_requested_event_id(row.cancel_request_event_id());
    *attributes.mutable_details() = plain_text_payloads("ACTIVITY_ID_NOT_STARTED");
    attributes.set_identity(completion.request.identity());
    completion.builder.add_or_buffer_event(std::move(event));
    completion.new_task_needed = true;
    forget_activity(completion.builder, row.scheduled_event_id());
}

}  // namespace

CommandResult handle_schedule_activity(Completion& completion, const Command& command) {
    Builder& builder = completion.builder;
    const auto attributes = normalised(command, builder);
    if (!attributes.ok()) return refuse(kBadSchedule, message_of(attributes.status()));
    if (CommandResult refusal = check_limits(completion, *attributes)) return refusal;

    HistoryEvent event = scheduled_event(*attributes, completion.completed, command);
    storage::ActivityRow row = activity_row(event, builder.now());
    const EventId id = builder.add_event(std::move(event));
    row.set_scheduled_event_id(id.value());
    storage::ActivityRow& pending = builder.draft().activities.insert(id.value(), std::move(row));
    if (attributes->request_eager_execution() && !is_paused(builder.header())) {
        completion.eager_activities.push_back(id);
    } else {
        enqueue_attempt(builder, pending);
    }
    return std::nullopt;
}

void start_eager_activities(Completion& completion) {
    Builder& builder = completion.builder;
    std::vector<EventId> started;
    for (const EventId id : completion.eager_activities) {
        if (!builder.is_open() || builder.draft().activities.find(id.value()) == nullptr) continue;
        storage::ActivityRow& row = builder.draft().activities.edit(id.value());
        start_attempt(builder, row, builder.context().new_id(), completion.request.identity(),
                      completion.request.worker_control_task_queue());
        started.push_back(id);
    }
    completion.eager_activities = std::move(started);
}

CommandResult handle_request_cancel_activity(Completion& completion, const Command& command) {
    if (!command.has_request_cancel_activity_task_command_attributes()) {
        return refuse(kBadCancel,
                      "RequestCancelActivityTaskCommandAttributes is not set on "
                      "RequestCancelActivityTaskCommand.");
    }
    const EventId scheduled(
        command.request_cancel_activity_task_command_attributes().scheduled_event_id());
    if (scheduled <= kNoEvent) {
        return refuse(kBadCancel,
                      "ScheduledEventId is not set on RequestCancelActivityTaskCommand.");
    }
    Builder& builder = completion.builder;
    const storage::ActivityRow* pending = builder.draft().activities.find(scheduled.value());
    const bool acceptable =
        pending != nullptr ? !pending->cancel_requested() : outcome_is_buffered(builder, scheduled);
    if (!acceptable) {
        return refuse(kBadCancel,
                      "invalid history builder state for action: "
                      "add-activitytask-cancel-requested-event, ScheduledEventID: " +
                          std::to_string(scheduled.value()));
    }
    HistoryEvent event = command_event(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, command);
    auto& attributes = *event.mutable_activity_task_cancel_requested_event_attributes();
    attributes.set_scheduled_event_id(scheduled.value());
    attributes.set_workflow_task_completed_event_id(completion.completed.value());
    const EventId requested = builder.add_event(std::move(event));
    if (pending == nullptr) return std::nullopt;

    storage::ActivityRow& row = builder.draft().activities.edit(scheduled.value());
    row.set_cancel_requested(true);
    row.set_cancel_request_event_id(requested.value());
    if (is_started(row)) {
        completion.cancelled_activities.push_back(scheduled);
    } else {
        cancel_unstarted(completion, row);
    }
    return std::nullopt;
}

}  // namespace stele::history
