#include "sdk/core/update_machine.h"

#include <utility>

#include "temporal/api/enums/v1/command_type.pb.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;
namespace update = temporal::api::update::v1;

UpdateMessage UpdateMachine::accept() const {
    update::Acceptance body;
    body.set_accepted_request_message_id(request_.message_id);
    body.set_accepted_request_sequencing_event_id(request_.sequencing_event_id);
    *body.mutable_accepted_request() = request_.request;
    return {update_id() + "/accept", update_id(), std::move(body)};
}

UpdateMessage UpdateMachine::reject(Failure failure) const {
    update::Rejection body;
    body.set_rejected_request_message_id(request_.message_id);
    body.set_rejected_request_sequencing_event_id(request_.sequencing_event_id);
    *body.mutable_rejected_request() = request_.request;
    *body.mutable_failure() = std::move(failure);
    return {update_id() + "/reject", update_id(), std::move(body)};
}

UpdateMessage UpdateMachine::complete(update::Outcome outcome) const {
    update::Response body;
    *body.mutable_meta() = request_.request.meta();
    body.mutable_meta()->set_update_id(update_id());
    *body.mutable_outcome() = std::move(outcome);
    return {update_id() + "/complete", update_id(), std::move(body)};
}

std::string UpdateMachine::describe() const {
    return std::string(state_ == State::kRequested ? "the acceptance" : "the completion") +
           " of update \"" + request_.request.input().name() + "\" with the id \"" + update_id() +
           "\"";
}

void UpdateMachine::on_command_event(const HistoryEvent& event) {
    if (state_ == State::kRequested &&
        event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) {
        const std::string& recorded =
            event.workflow_execution_update_accepted_event_attributes().protocol_instance_id();
        if (recorded != update_id())
            fail_mismatch(event, *this, "the history accepts the update \"" + recorded + "\"");
        state_ = State::kAccepted;
    } else if (state_ == State::kAccepted &&
               event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED) {
        const std::string& recorded =
            event.workflow_execution_update_completed_event_attributes().meta().update_id();
        if (recorded != update_id())
            fail_mismatch(event, *this, "the history completes the update \"" + recorded + "\"");
        state_ = State::kCompleted;
    } else {
        fail_mismatch(event, *this, "the history has another kind of step");
    }
}

std::optional<Job> UpdateMachine::on_consequence(const HistoryEvent& event) {
    fail_mismatch(event, *this, "this event cannot follow from it");
}

Command make_message_command(const UpdateMessage& message) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
    command.mutable_protocol_message_command_attributes()->set_message_id(message.id);
    return command;
}

}  // namespace stele::core
