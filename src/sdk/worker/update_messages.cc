#include "sdk/worker/update_messages.h"

#include <utility>

#include "sdk/core/errors.h"
#include "sdk/data/codec.h"

namespace stele::sdk {

namespace api = temporal::api::workflowservice::v1;

std::vector<core::UpdateRequest> read_updates(const ClientCore& client,
                                              const api::PollWorkflowTaskQueueResponse& task) {
    std::vector<core::UpdateRequest> updates;
    for (const auto& message : task.messages()) {
        core::UpdateRequest update;
        update.message_id = message.id();
        update.update_id = message.protocol_instance_id();
        update.sequencing_event_id = message.event_id();
        if (!message.body().UnpackTo(&update.request))
            core::fail_task("the task brings a message that this SDK does not know: " +
                            message.body().type_url());
        decode_incoming(client.converter(), update.request,
                        client.context_of(task.workflow_execution().workflow_id()));
        updates.push_back(std::move(update));
    }
    return updates;
}

void write_updates(const ClientCore& client, const SerializationContext& context,
                   std::vector<core::UpdateMessage> messages,
                   api::RespondWorkflowTaskCompletedRequest& request) {
    for (core::UpdateMessage& message : messages) {
        auto& written = *request.add_messages();
        written.set_id(message.id);
        written.set_protocol_instance_id(message.update_id);
        std::visit(
            [&](auto& body) {
                client.encode(body, context);
                written.mutable_body()->PackFrom(body);
            },
            message.body);
    }
}

}  // namespace stele::sdk
