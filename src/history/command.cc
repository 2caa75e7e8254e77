#include "history/command.h"
#include "base/probe.h"
#include "history/nexus_family.h"
#include "history/update_family.h"

#include <utility>

namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

/// "COMMAND_TYPE_START_TIMER" as people read it: "StartTimer".
std::string camel_case(const std::string& name, std::size_t prefix) {
    std::string words;
    bool capital = true;
    for (const char letter : name.substr(std::min(prefix, name.size()))) {
        if (letter == '_') {
            capital = true;
            continue;
        }
        const bool lower = !capital && letter >= 'A' && letter <= 'Z';
        words.push_back(lower ? static_cast<char>(letter - 'A' + 'a') : letter);
        capital = false;
    }
    return words;
}

std::string command_name(CommandType type) {
    const std::string name = enums::CommandType_Name(type);
    if (name.empty()) return std::to_string(static_cast<int>(type));
    return camel_case(name, std::string("COMMAND_TYPE_").size());
}

bool closes_run(CommandType type) {
    return type == enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION ||
           type == enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION ||
           type == enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION ||
           type == enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION;
}

bool is_known(CommandType type) {
    return type != enums::COMMAND_TYPE_UNSPECIFIED && enums::CommandType_IsValid(type);
}

}  // namespace

std::string failed_cause_name(WorkflowTaskFailedCause cause) {
    const std::string name = enums::WorkflowTaskFailedCause_Name(cause);
    return camel_case(name, std::string("WORKFLOW_TASK_FAILED_CAUSE_").size());
}

HistoryEvent command_event(EventType type, const Command& command) {
    HistoryEvent event;
    event.set_event_type(type);
    if (command.has_user_metadata()) *event.mutable_user_metadata() = command.user_metadata();
    *event.mutable_event_group_markers() = command.event_group_markers();
    return event;
}

absl::Status check_command_sequence(const google::protobuf::RepeatedPtrField<Command>& commands) {
    const Command* close = nullptr;
    for (const Command& command : commands) {
        if (close != nullptr) {
            std::string names;
            for (const Command& each : commands) {
                if (!names.empty()) names += ", ";
                names += command_name(each.command_type());
            }
            return invalid_argument("invalid command sequence: [" + names + "], command " +
                                    command_name(close->command_type()) +
                                    " must be the last command.");
        }
        if (!is_known(command.command_type())) {
            return invalid_argument("unknown command type: " +
                                    command_name(command.command_type()));
        }
        if (closes_run(command.command_type())) close = &command;
    }
    return absl::OkStatus();
}

CommandResult obey_command(Completion& completion, const Command& command) {
    switch (command.command_type()) {
        case enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
            return handle_schedule_activity(completion, command);
        case enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK:
            return handle_request_cancel_activity(completion, command);
        case enums::COMMAND_TYPE_START_TIMER: return handle_start_timer(completion, command);
        case enums::COMMAND_TYPE_CANCEL_TIMER: return handle_cancel_timer(completion, command);
        case enums::COMMAND_TYPE_RECORD_MARKER: return handle_record_marker(completion, command);
        case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            return handle_upsert_search_attributes(completion, command);
        case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
            return handle_modify_properties(completion, command);
        case enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION:
            return handle_start_child(completion, command);
        case enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION:
            return handle_signal_external(completion, command);
        case enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION:
            return handle_request_cancel_external(completion, command);
        case enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION:
            return handle_schedule_nexus(completion, command);
        case enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION:
            return handle_request_cancel_nexus(completion, command);
        case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
            return handle_complete_workflow(completion, command);
        case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
            return handle_fail_workflow(completion, command);
        case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
            return handle_cancel_workflow(completion, command);
        case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
            return handle_continue_as_new(completion, command);
        case enums::COMMAND_TYPE_PROTOCOL_MESSAGE:
            return handle_protocol_message(completion, command);
        default:
            return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_FEATURE_DISABLED,
                          "this server does not obey the command " +
                              command_name(command.command_type()) + " yet");
    }
}

CommandResult check_id_length(const Completion& completion, WorkflowTaskFailedCause cause,
                              const std::string& what, const std::string& short_name,
                              const std::string& id) {
    const std::size_t limit = completion.builder.context().limits->id_length;
    if (id.size() <= limit) return std::nullopt;
    return refuse(cause, what + " exceeds length limit. " + short_name + "=" + id + " Length=" +
                             std::to_string(id.size()) + " Limit=" + std::to_string(limit));
}

CommandResult refuse_unseen_events(const Completion& completion) {
    if (!completion.events_waiting) return std::nullopt;
    STELE_PROBE("history.close-meets-unseen-events");
    if (STELE_BUG("history.closes-over-unseen-events")) return std::nullopt;
    return refuse(enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, "");
}

CommandResult check_blob_size(const Completion& completion, std::size_t bytes,
                              WorkflowTaskFailedCause cause, std::string message) {
    if (bytes <= completion.builder.context().limits->blob_bytes) return std::nullopt;
    return Refusal{cause, std::move(message), true};
}

CommandResult refuse_if_error(WorkflowTaskFailedCause cause, const absl::Status& status) {
    if (status.ok()) return std::nullopt;
    return refuse(cause, message_of(status));
}

}  // namespace stele::history
