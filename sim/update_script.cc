#include "sim/update_script.h"

#include "temporal/api/update/v1/message.pb.h"

#include <map>
#include <utility>

namespace stele::sim {
namespace {

namespace api = temporal::api;
namespace enums = temporal::api::enums::v1;

class Answering {
public:
    void reject(const Message& update, const api::update::v1::Request& request) {
        api::update::v1::Rejection body;
        body.set_rejected_request_message_id(update.id());
        body.set_rejected_request_sequencing_event_id(update.event_id());
        *body.mutable_rejected_request() = request;
        body.mutable_failure()->set_message("rejected by the script");
        add(update.protocol_instance_id(), "reject", body);
    }

    void accept(const Message& update, const api::update::v1::Request& request) {
        api::update::v1::Acceptance body;
        body.set_accepted_request_message_id(update.id());
        body.set_accepted_request_sequencing_event_id(update.event_id());
        *body.mutable_accepted_request() = request;
        add(update.protocol_instance_id(), "accept", body);
        command("accept", update.protocol_instance_id());
    }

    void complete(const std::string& update_id) {
        api::update::v1::Response body;
        body.mutable_meta()->set_update_id(update_id);
        body.mutable_outcome()->mutable_success()->add_payloads()->set_data(update_id);
        add(update_id, "complete", body);
        command("complete", update_id);
    }

    UpdateAnswers take() { return std::move(answers_); }

private:
    template <typename Body>
    void add(const std::string& update_id, const char* kind, const Body& body) {
        Message& message = answers_.messages.emplace_back();
        message.set_id(update_id + "/" + kind);
        message.set_protocol_instance_id(update_id);
        message.mutable_body()->PackFrom(body);
    }
    void command(const char* kind, const std::string& update_id) {
        Command& command = answers_.commands.emplace_back();
        command.set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
        command.mutable_protocol_message_command_attributes()->set_message_id(update_id + "/" +
                                                                              kind);
    }

    UpdateAnswers answers_;
};

}  // namespace

UpdateAnswers answer_updates(const std::vector<HistoryEvent>& history,
                             const std::vector<Message>& updates) {
    Answering answering;
    std::map<std::int64_t, std::string> owed;  // by accepted event
    for (const HistoryEvent& event : history) {
        if (event.has_workflow_execution_update_accepted_event_attributes()) {
            owed[event.event_id()] =
                event.workflow_execution_update_accepted_event_attributes().protocol_instance_id();
        } else if (event.has_workflow_execution_update_completed_event_attributes()) {
            owed.erase(
                event.workflow_execution_update_completed_event_attributes().accepted_event_id());
        }
    }
    for (const auto& [event, update_id] : owed) answering.complete(update_id);
    for (const Message& update : updates) {
        api::update::v1::Request request;
        update.body().UnpackTo(&request);
        const std::string& update_id = update.protocol_instance_id();
        if (is_to_be_rejected(update_id)) {
            answering.reject(update, request);
            continue;
        }
        answering.accept(update, request);
        if (update_id.front() == 'a') answering.complete(update_id);
    }
    return answering.take();
}

}  // namespace stele::sim
