#include "sdk/core/paired_machine.h"

#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

namespace {

enums::EventType event_of(enums::CommandType type) {
    switch (type) {
        case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED;
        case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED;
        case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED;
        case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
            return enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW;
        case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            return enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES;
        case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES:
            return enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED;
        default: return enums::EVENT_TYPE_UNSPECIFIED;
    }
}

}  // namespace

PairedMachine::PairedMachine(const Command& command) : type_(command.command_type()) {}

std::string PairedMachine::describe() const {
    switch (type_) {
        case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
            return "the completion of the workflow";
        case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION: return "the failure of the workflow";
        case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
            return "the cancellation of the workflow";
        case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
            return "the continuation as new";
        case enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            return "an upsert of search attributes";
        case enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES: return "an upsert of the memo";
        default: return enums::CommandType_Name(type_);
    }
}

void PairedMachine::on_command_event(const HistoryEvent& event) {
    if (event.event_type() != event_of(type_))
        fail_mismatch(event, *this, "the history has another kind of step");
    matched_ = true;
}

std::optional<Job> PairedMachine::on_consequence(const HistoryEvent& event) {
    fail_mismatch(event, *this, "this event cannot follow from it");
}

}  // namespace stele::core
