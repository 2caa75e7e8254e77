#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sdk/core/activation.h"
#include "sdk/core/update_machine.h"
#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core::testing {

namespace enums = temporal::api::enums::v1;

/// Writes a history event by event, and turns commands into the events that a server would write.
class HistoryWriter {
public:
    explicit HistoryWriter(const std::string& workflow_type, std::vector<std::string> json = {}) {
        auto& attributes = *add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
                                .mutable_workflow_execution_started_event_attributes();
        attributes.mutable_workflow_type()->set_name(workflow_type);
        attributes.mutable_task_queue()->set_name("queue");
        attributes.set_original_execution_run_id("run");
        attributes.set_attempt(1);
        for (const std::string& text : json)
            *attributes.mutable_input()->add_payloads() = make(text);
    }

    static temporal::api::common::v1::Payload make(const std::string& json) {
        temporal::api::common::v1::Payload payload;
        (*payload.mutable_metadata())["encoding"] = "json/plain";
        payload.set_data(json);
        return payload;
    }

    HistoryEvent& add(enums::EventType type) {
        HistoryEvent& event = *history_.add_events();
        event.set_event_id(history_.events_size());
        event.set_event_type(type);
        event.mutable_event_time()->set_seconds(1'000'000 + 10 * history_.events_size());
        return event;
    }

    /// Schedules and starts a workflow task; returns the id of its started event.
    std::int64_t start_task() {
        add(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)
            .mutable_workflow_task_scheduled_event_attributes();
        HistoryEvent& started = add(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
        started.mutable_workflow_task_started_event_attributes()->set_scheduled_event_id(
            started.event_id() - 1);
        last_started_ = started.event_id();
        return last_started_;
    }
    void fail_task() {
        add(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
            .mutable_workflow_task_failed_event_attributes()
            ->set_started_event_id(last_started_);
    }
    /// The completion of the task and the events of its commands.
    void complete_task(const std::vector<Command>& commands,
                       const std::vector<std::uint32_t>& flags = {},
                       const std::vector<UpdateMessage>& messages = {}) {
        auto& attributes = *add(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
                                .mutable_workflow_task_completed_event_attributes();
        attributes.set_started_event_id(last_started_);
        for (const std::uint32_t flag : flags)
            attributes.mutable_sdk_metadata()->add_lang_used_flags(flag);
        for (const Command& command : commands) {
            if (command.has_protocol_message_command_attributes())
                apply(command.protocol_message_command_attributes().message_id(), messages);
            else
                apply(command);
        }
    }
    /// Takes the task at hand back, as a server does with one that has changed nothing.
    void drop_task() {
        history_.mutable_events()->RemoveLast();
        history_.mutable_events()->RemoveLast();
    }

    /// A message for the task at hand, as a server would send it.
    UpdateRequest request_update(const std::string& id, const std::string& name,
                                 const std::vector<std::string>& json = {}) const {
        UpdateRequest update{id + "/request", id, history_.events_size() - 1, {}};
        update.request.mutable_meta()->set_update_id(id);
        update.request.mutable_input()->set_name(name);
        for (const std::string& text : json)
            *update.request.mutable_input()->mutable_args()->add_payloads() = make(text);
        return update;
    }

    void signal(const std::string& name, const std::string& json) {
        auto& attributes = *add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
                                .mutable_workflow_execution_signaled_event_attributes();
        attributes.set_signal_name(name);
        *attributes.mutable_input()->add_payloads() = make(json);
    }
    void request_cancel() {
        add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
            .mutable_workflow_execution_cancel_requested_event_attributes();
    }
    void fire(const std::string& timer_id) {
        auto& attributes =
            *add(enums::EVENT_TYPE_TIMER_FIRED).mutable_timer_fired_event_attributes();
        attributes.set_timer_id(timer_id);
        attributes.set_started_event_id(timers_.at(timer_id));
        timers_.erase(timer_id);
    }
    void complete_activity(std::int64_t scheduled, const std::string& json) {
        auto& attributes = *add(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
                                .mutable_activity_task_completed_event_attributes();
        attributes.set_scheduled_event_id(scheduled);
        *attributes.mutable_result()->add_payloads() = make(json);
        activities_.erase(scheduled);
    }
    void fail_activity(std::int64_t scheduled) {
        auto& attributes = *add(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED)
                                .mutable_activity_task_failed_event_attributes();
        attributes.set_scheduled_event_id(scheduled);
        attributes.mutable_failure()->set_message("failed");
        attributes.mutable_failure()->mutable_application_failure_info();
        activities_.erase(scheduled);
    }
    void cancel_activity(std::int64_t scheduled) {
        add(enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED)
            .mutable_activity_task_canceled_event_attributes()
            ->set_scheduled_event_id(scheduled);
        activities_.erase(scheduled);
    }

    /// A child that was asked for begins, or can not.
    void start_child(std::int64_t initiated, bool possible) {
        if (!possible) {
            auto& attributes =
                *add(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED)
                     .mutable_start_child_workflow_execution_failed_event_attributes();
            attributes.set_initiated_event_id(initiated);
            children_.erase(initiated);
            return;
        }
        HistoryEvent& event = add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
        auto& attributes = *event.mutable_child_workflow_execution_started_event_attributes();
        attributes.set_initiated_event_id(initiated);
        attributes.mutable_workflow_execution()->set_run_id("child-" + std::to_string(initiated));
        children_[initiated] = event.event_id();
    }
    /// One that runs is completed (0), fails (1), or is cancelled (2).
    void end_child(std::int64_t initiated, std::uint64_t how) {
        if (how == 0) {
            auto& attributes = *add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED)
                                    .mutable_child_workflow_execution_completed_event_attributes();
            attributes.set_initiated_event_id(initiated);
            *attributes.mutable_result()->add_payloads() = make("5");
        } else if (how == 1) {
            auto& attributes = *add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED)
                                    .mutable_child_workflow_execution_failed_event_attributes();
            attributes.set_initiated_event_id(initiated);
            attributes.mutable_failure()->set_message("failed");
            attributes.mutable_failure()->mutable_application_failure_info();
        } else {
            add(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED)
                .mutable_child_workflow_execution_canceled_event_attributes()
                ->set_initiated_event_id(initiated);
        }
        children_.erase(initiated);
    }
    /// The other workflow has been told, or is not there.
    void answer_external(std::int64_t initiated, bool there) {
        const bool cancels = external_.at(initiated);
        external_.erase(initiated);
        if (cancels && there)
            add(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
                .mutable_external_workflow_execution_cancel_requested_event_attributes()
                ->set_initiated_event_id(initiated);
        else if (cancels)
            add(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
                .mutable_request_cancel_external_workflow_execution_failed_event_attributes()
                ->set_initiated_event_id(initiated);
        else if (there)
            add(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED)
                .mutable_external_workflow_execution_signaled_event_attributes()
                ->set_initiated_event_id(initiated);
        else
            add(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED)
                .mutable_signal_external_workflow_execution_failed_event_attributes()
                ->set_initiated_event_id(initiated);
    }

    const temporal::api::history::v1::History& history() const { return history_; }
    temporal::api::history::v1::History& history() { return history_; }
    std::vector<HistoryEvent> from(std::int64_t event_id) const {
        std::vector<HistoryEvent> events;
        for (const auto& event : history_.events())
            if (event.event_id() >= event_id) events.push_back(event);
        return events;
    }
    const std::map<std::string, std::int64_t>& timers() const { return timers_; }
    const std::set<std::int64_t>& activities() const { return activities_; }
    const std::set<std::int64_t>& cancelling() const { return cancelling_; }
    /// By the event that asked for it: the one with which it began, or 0.
    const std::map<std::int64_t, std::int64_t>& children() const { return children_; }
    /// Signals and cancellations on their way, by their event; true for a cancellation.
    const std::map<std::int64_t, bool>& external() const { return external_; }
    bool closed() const { return closed_; }

    /// An update that a reset has carried over.
    void admit(const UpdateRequest& update) {
        *add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED)
             .mutable_workflow_execution_update_admitted_event_attributes()
             ->mutable_request() = update.request;
        admitted_.insert(update.update_id);
    }

private:
    void apply(const std::string& message_id, const std::vector<UpdateMessage>& messages) {
        for (const UpdateMessage& message : messages) {
            if (message.id != message_id) continue;
            if (const auto* accepted =
                    std::get_if<temporal::api::update::v1::Acceptance>(&message.body)) {
                auto& to = *add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
                                .mutable_workflow_execution_update_accepted_event_attributes();
                to.set_protocol_instance_id(message.update_id);
                to.set_accepted_request_message_id(accepted->accepted_request_message_id());
                to.set_accepted_request_sequencing_event_id(
                    accepted->accepted_request_sequencing_event_id());
                if (!admitted_.contains(message.update_id))
                    *to.mutable_accepted_request() = accepted->accepted_request();
            } else if (const auto* response =
                           std::get_if<temporal::api::update::v1::Response>(&message.body)) {
                auto& to = *add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
                                .mutable_workflow_execution_update_completed_event_attributes();
                *to.mutable_meta() = response->meta();
                *to.mutable_outcome() = response->outcome();
            }
            return;
        }
        throw std::logic_error("a command names the message " + message_id + ", which is missing");
    }

    void apply(const Command& command) {
        switch (command.command_type()) {
            case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK: {
                const auto& from = command.schedule_activity_task_command_attributes();
                HistoryEvent& event = add(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
                auto& to = *event.mutable_activity_task_scheduled_event_attributes();
                to.set_activity_id(from.activity_id());
                *to.mutable_activity_type() = from.activity_type();
                activities_.insert(event.event_id());
                return;
            }
            case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK: {
                const auto scheduled =
                    command.request_cancel_activity_task_command_attributes().scheduled_event_id();
                add(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED)
                    .mutable_activity_task_cancel_requested_event_attributes()
                    ->set_scheduled_event_id(scheduled);
                cancelling_.insert(scheduled);
                return;
            }
            case enums::COMMAND_TYPE_START_TIMER: {
                const auto& id = command.start_timer_command_attributes().timer_id();
                HistoryEvent& event = add(enums::EVENT_TYPE_TIMER_STARTED);
                event.mutable_timer_started_event_attributes()->set_timer_id(id);
                timers_[id] = event.event_id();
                return;
            }
            case enums::COMMAND_TYPE_CANCEL_TIMER: {
                const auto& id = command.cancel_timer_command_attributes().timer_id();
                add(enums::EVENT_TYPE_TIMER_CANCELED)
                    .mutable_timer_canceled_event_attributes()
                    ->set_timer_id(id);
                timers_.erase(id);
                return;
            }
            case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION: {
                const auto& from = command.signal_external_workflow_execution_command_attributes();
                HistoryEvent& event =
                    add(enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED);
                auto& to =
                    *event.mutable_signal_external_workflow_execution_initiated_event_attributes();
                to.set_signal_name(from.signal_name());
                *to.mutable_workflow_execution() = from.execution();
                external_[event.event_id()] = false;
                return;
            }
            case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION: {
                const auto& from =
                    command.request_cancel_external_workflow_execution_command_attributes();
                HistoryEvent& event =
                    add(enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED);
                event
                    .mutable_request_cancel_external_workflow_execution_initiated_event_attributes()
                    ->mutable_workflow_execution()
                    ->set_workflow_id(from.workflow_id());
                external_[event.event_id()] = true;
                return;
            }
            case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION: {
                const auto& from = command.start_child_workflow_execution_command_attributes();
                HistoryEvent& event =
                    add(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
                auto& to =
                    *event.mutable_start_child_workflow_execution_initiated_event_attributes();
                to.set_workflow_id(from.workflow_id());
                *to.mutable_workflow_type() = from.workflow_type();
                children_[event.event_id()] = 0;
                return;
            }
            case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
                *add(enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED)
                     .mutable_workflow_properties_modified_event_attributes()
                     ->mutable_upserted_memo() =
                    command.modify_workflow_properties_command_attributes().upserted_memo();
                return;
            case enums::COMMAND_TYPE_RECORD_MARKER: {
                const auto& from = command.record_marker_command_attributes();
                auto& to = *add(enums::EVENT_TYPE_MARKER_RECORDED)
                                .mutable_marker_recorded_event_attributes();
                to.set_marker_name(from.marker_name());
                *to.mutable_details() = from.details();
                if (from.has_failure()) *to.mutable_failure() = from.failure();
                return;
            }
            case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
                *add(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
                     .mutable_upsert_workflow_search_attributes_event_attributes()
                     ->mutable_search_attributes() =
                    command.upsert_workflow_search_attributes_command_attributes()
                        .search_attributes();
                return;
            case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
                add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
                closed_ = true;
                return;
            case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
                add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
                closed_ = true;
                return;
            case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
                add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED);
                closed_ = true;
                return;
            case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
                add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
                closed_ = true;
                return;
            default:
                throw std::logic_error("no event for " +
                                       enums::CommandType_Name(command.command_type()));
        }
    }

    temporal::api::history::v1::History history_;
    std::map<std::string, std::int64_t> timers_;
    std::set<std::int64_t> activities_;
    std::set<std::int64_t> cancelling_;
    std::map<std::int64_t, std::int64_t> children_;
    std::map<std::int64_t, bool> external_;
    std::set<std::string> admitted_;
    std::int64_t last_started_ = 0;
    bool closed_ = false;
};

}  // namespace stele::core::testing
