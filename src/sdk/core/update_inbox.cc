#include "sdk/core/update_inbox.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "base/probe.h"
#include "sdk/core/errors.h"
#include "temporal/api/enums/v1/event_type.pb.h"

namespace stele::core {

namespace enums = temporal::api::enums::v1;

namespace {

using ById = std::map<std::string, UpdateRequest>;

// Every task decides all updates that it is shown, so what the chunk's own task has not accepted was
// rejected by it and is gone.
ById admitted_by_events(const HistoryBuffer::Chunk& chunk) {
    ById admitted;
    for (const HistoryEvent& event : chunk.events) {
        if (event.event_type() != enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED) continue;
        const auto& request = event.workflow_execution_update_admitted_event_attributes().request();
        const std::string& id = request.meta().update_id();
        admitted[id] = {id + "/request", id, event.event_id(), request};
    }
    return admitted;
}

UpdateRequest accepted(const HistoryEvent& event, const ById& admitted) {
    const auto& attributes = event.workflow_execution_update_accepted_event_attributes();
    UpdateRequest update;
    update.message_id = attributes.accepted_request_message_id();
    update.update_id = attributes.protocol_instance_id();
    update.sequencing_event_id = attributes.accepted_request_sequencing_event_id();
    if (attributes.has_accepted_request()) {
        update.request = attributes.accepted_request();
        return update;
    }
    const auto found = admitted.find(update.update_id);
    if (found == admitted.end())
        fail_nondeterminism(describe(event) + " accepts the update \"" + update.update_id +
                            "\", which nothing before it has asked for");
    update.request = found->second.request;
    return update;
}

}  // namespace

void UpdateInbox::fill(const HistoryBuffer::Chunk& chunk, std::vector<UpdateRequest> messages) {
    ById admitted = admitted_by_events(chunk);
    for (const HistoryEvent& event : chunk.ahead)
        if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED &&
            !STELE_BUG("sdk.update-lost-in-replay"))
            due_.push_back(accepted(event, admitted));
    for (UpdateRequest& message : messages) {
        admitted.erase(message.update_id);
        due_.push_back(std::move(message));
    }
    if (chunk.last)
        for (auto& [id, request] : admitted) due_.push_back(std::move(request));
    std::stable_sort(due_.begin(), due_.end(), [](const UpdateRequest& a, const UpdateRequest& b) {
        return a.sequencing_event_id < b.sequencing_event_id;
    });
}

std::optional<UpdateRequest> UpdateInbox::take_before(std::int64_t event_id) {
    if (due_.empty() || due_.front().sequencing_event_id >= event_id) return std::nullopt;
    std::optional<UpdateRequest> first(std::move(due_.front()));
    due_.pop_front();
    return first;
}

std::optional<UpdateRequest> UpdateInbox::take() {
    return take_before(std::numeric_limits<std::int64_t>::max());
}

}  // namespace stele::core
