#include "base/probe.h"
#include "history/command.h"
#include "history/event_rows.h"
#include "history/retry_policy.h"

#include <utility>

namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

constexpr char kBadState[] = "invalid history builder state for action: ";

}  // namespace

CommandResult handle_start_timer(Completion& completion, const Command& command) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_START_TIMER_ATTRIBUTES;
    if (!command.has_start_timer_command_attributes()) {
        return refuse(kBad, "StartTimerCommandAttributes is not set on StartTimerCommand.");
    }
    const auto& attributes = command.start_timer_command_attributes();
    const std::string& id = attributes.timer_id();
    if (id.empty()) return refuse(kBad, "TimerId is not set on StartTimerCommand.");
    if (CommandResult refusal =
            check_id_length(completion, kBad, "TimerId on StartTimerCommand", "TimerId", id)) {
        return refusal;
    }
    google::protobuf::Duration timeout = attributes.start_to_fire_timeout();
    const absl::Status valid =
        validate_duration(timeout, "An invalid StartToFireTimeout is set on StartTimerCommand");
    if (!valid.ok()) return refuse(kBad, message_of(valid) + ". TimerId=" + id);

    Builder& builder = completion.builder;
    if (builder.draft().timers.find_named(id) != nullptr) {
        STELE_PROBE("history.timer-id-taken");
        return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_START_TIMER_DUPLICATE_ID,
                      std::string(kBadState) + "add-timer-started-event, TimerID: " + id);
    }
    HistoryEvent event = command_event(enums::EVENT_TYPE_TIMER_STARTED, command);
    auto& started = *event.mutable_timer_started_event_attributes();
    started.set_timer_id(id);
    if (attributes.has_start_to_fire_timeout()) {
        *started.mutable_start_to_fire_timeout() = timeout;
    }
    started.set_workflow_task_completed_event_id(completion.completed.value());
    storage::TimerRow row = timer_row(event, builder.now());
    const EventId started_event = builder.add_event(std::move(event));
    row.set_started_event_id(started_event.value());
    builder.draft().timers.insert(started_event.value(), std::move(row));
    return std::nullopt;
}

CommandResult handle_cancel_timer(Completion& completion, const Command& command) {
    constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_CANCEL_TIMER_ATTRIBUTES;
    if (!command.has_cancel_timer_command_attributes()) {
        return refuse(kBad, "CancelTimerCommandAttributes is not set on CancelTimerCommand.");
    }
    const std::string& id = command.cancel_timer_command_attributes().timer_id();
    if (id.empty()) return refuse(kBad, "TimerId is not set on CancelTimerCommand.");
    if (CommandResult refusal =
            check_id_length(completion, kBad, "TimerId on CancelTimerCommand", "TimerId", id)) {
        return refusal;
    }
    Builder& builder = completion.builder;
    std::int64_t started_event = 0;
    if (const storage::TimerRow* timer = builder.draft().timers.find_named(id)) {
        started_event = timer->started_event_id();
        builder.draft().timers.erase(started_event);
    } else {
        STELE_PROBE("history.timer-fired-and-cancelled");
        // It fired while the worker did not know: as nobody has seen that yet, it never happened.
        const std::optional<ItemId> fired = builder.find_buffered([&](const HistoryEvent& event) {
            return event.event_type() == enums::EVENT_TYPE_TIMER_FIRED &&
                   event.timer_fired_event_attributes().timer_id() == id;
        });
        if (!fired) {
            return refuse(kBad,
                          std::string(kBadState) + "add-timer-canceled-event, TimerID: " + id);
        }
        started_event = builder.draft()
                            .buffered.find(*fired)
                            ->event()
                            .timer_fired_event_attributes()
                            .started_event_id();
        builder.remove_buffered(*fired);
    }
    HistoryEvent event = command_event(enums::EVENT_TYPE_TIMER_CANCELED, command);
    auto& canceled = *event.mutable_timer_canceled_event_attributes();
    canceled.set_timer_id(id);
    canceled.set_started_event_id(started_event);
    canceled.set_workflow_task_completed_event_id(completion.completed.value());
    canceled.set_identity(completion.request.identity());
    builder.add_event(std::move(event));
    completion.events_waiting = completion.events_waiting && builder.has_buffered_events();
    return std::nullopt;
}

}  // namespace stele::history
