#include "history/callback_family.h"
#include "history/command.h"
#include "history/update_family.h"

#include "temporal/api/update/v1/message.pb.h"

#include <utility>

// What a worker says about updates when it completes a workflow task: accepted, rejected, completed.
namespace stele::history {

namespace enums = temporal::api::enums::v1;
using api::protocol::v1::Message;
using api::update::v1::Acceptance;
using api::update::v1::Rejection;
using api::update::v1::Request;
using api::update::v1::Response;

namespace {

constexpr auto kBad = enums::WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE;
constexpr char kUpdateProtocol[] = "temporal.api.update.v1";

/// "temporal.api.update.v1.Acceptance"
std::string body_type(const Message& message) {
    const std::string& url = message.body().type_url();
    const std::size_t slash = url.rfind('/');
    return slash == std::string::npos ? url : url.substr(slash + 1);
}

/// Messages as the errors that clients know name them.
std::string short_name(const google::protobuf::Message& message) {
    return "*update." + message.GetDescriptor()->name();
}

CommandResult bad(std::string message) { return refuse(kBad, std::move(message)); }

CommandResult not_set(const google::protobuf::Message& message, const std::string& field) {
    return bad("invalid " + short_name(message) + ": " + field + " is not set");
}

/// What a completion knows of an update: one of the two, or neither when it has rejected it.
struct Found {
    const PendingUpdate* pending = nullptr;
    ItemId pending_id = 0;
    const storage::UpdateRow* row = nullptr;
};

Found find(Completion& completion, const std::string& update_id) {
    Draft& draft = completion.builder.draft();
    Found found;
    if (const std::optional<ItemId> id = draft.pending_updates.id_of(update_id)) {
        found.pending_id = *id;
        found.pending = draft.pending_updates.find(*id);
    } else {
        found.row = draft.updates.find_named(update_id);
    }
    return found;
}

/// The state of an update in the words of the errors that clients know. What this completion has done
/// is provisional.
std::string state_of(const Completion& completion, const Found& found) {
    if (found.pending != nullptr) return found.pending->sent ? "Sent" : "Admitted";
    if (found.row == nullptr) return "ProvisionallyCompleted";
    const std::int64_t first_new = completion.builder.draft().base->header.next_event_id();
    const auto said_now = [first_new](std::int64_t event) { return event >= first_new; };
    if (found.row->completed_event_id() != 0) {
        return said_now(found.row->completed_event_id()) ? "ProvisionallyCompleted" : "Completed";
    }
    if (found.row->accepted_event_id() != 0) {
        return said_now(found.row->accepted_event_id()) ? "ProvisionallyAccepted" : "Accepted";
    }
    return "Sent";
}

CommandResult wrong_state(const Completion& completion, const std::string& update_id,
                          const google::protobuf::Message& message, const Found& found) {
    return bad("invalid state transition attempted for Update " + update_id + ": received " +
               short_name(message) + " message while in state " + state_of(completion, found));
}

/// Whether a worker may still say yes or no.
bool is_undecided(const Found& found) {
    return found.pending != nullptr ||
           (found.row != nullptr && found.row->accepted_event_id() == 0);
}

/// The update is not in memory any more (the server has been restarted), but the worker has sent its
/// request back: as if it had just arrived.
CommandResult resurrect(Completion& completion, const Message& message, Found& found) {
    Request request;
    Acceptance acceptance;
    Rejection rejection;
    if (message.body().UnpackTo(&acceptance) && acceptance.has_accepted_request()) {
        request = acceptance.accepted_request();
    } else if (message.body().UnpackTo(&rejection) && rejection.has_rejected_request()) {
        request = rejection.rejected_request();
    } else {
        return bad("update " + message.protocol_instance_id() +
                   " wasn't found on the server. This is most likely a transient error which will "
                   "be resolved automatically by retries");
    }
    Builder& builder = completion.builder;
    const absl::Status status = check_update_count(builder.draft(), *builder.context().limits);
    if (!status.ok()) return bad(message_of(status));
    found.pending_id = builder.next_item();
    found.pending = &builder.draft().pending_updates.insert(
        found.pending_id, {message.protocol_instance_id(),
                           std::make_shared<const Request>(std::move(request)), false});
    return std::nullopt;
}

HistoryEvent accepted_event(const std::string& update_id, const Acceptance& message,
                            const Found& found) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
    auto& accepted = *event.mutable_workflow_execution_update_accepted_event_attributes();
    accepted.set_protocol_instance_id(update_id);
    accepted.set_accepted_request_message_id(update_id + "/request");
    accepted.set_accepted_request_sequencing_event_id(
        message.accepted_request_sequencing_event_id());
    // Where an admitted event holds the request it is not written again.
    if (found.pending != nullptr) *accepted.mutable_accepted_request() = *found.pending->request;
    return event;
}

CommandResult accept(Completion& completion, const std::string& update_id,
                     const Acceptance& message, const Found& found) {
    if (!is_undecided(found)) return wrong_state(completion, update_id, message, found);
    if (message.accepted_request_sequencing_event_id() == 0) {
        return not_set(message, "accepted_request_sequencing_event_id");
    }
    if (message.accepted_request_message_id().empty()) {
        return not_set(message, "accepted_request_message_id");
    }
    Builder& builder = completion.builder;
    const EventId id = builder.add_event(accepted_event(update_id, message, found));
    if (found.pending == nullptr) {
        builder.draft().updates.edit(found.row->item()).set_accepted_event_id(id.value());
    } else {
        remember_update_request(builder, *found.pending->request, id,
                                enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
        storage::UpdateRow row;
        row.set_item(id.value());
        row.set_update_id(update_id);
        row.set_accepted_event_id(id.value());
        attach_update_callbacks(builder, *found.pending->request);
        const PendingUpdate accepted = *found.pending;
        builder.draft().pending_updates.erase(found.pending_id);
        builder.draft().updates.insert(id.value(), std::move(row));
        record_joined(builder, accepted);
    }
    builder.note_update({update_id, UpdateChange::Kind::kAccepted});
    return std::nullopt;
}

void forget_rejected(Completion& completion, const std::string& update_id, const Found& found,
                     const api::failure::v1::Failure& failure) {
    Builder& builder = completion.builder;
    if (found.pending != nullptr) {
        builder.draft().pending_updates.erase(found.pending_id);
    } else {
        builder.draft().updates.erase(found.row->item());
        drop_update_callbacks(builder, update_id);
    }
    completion.updates_rejected.insert(update_id);
    UpdateChange change{update_id, UpdateChange::Kind::kRejected};
    *change.outcome.mutable_failure() = failure;
    builder.note_update(std::move(change));
}

CommandResult reject(Completion& completion, const std::string& update_id, const Rejection& message,
                     const Found& found) {
    if (!is_undecided(found)) return wrong_state(completion, update_id, message, found);
    forget_rejected(completion, update_id, found, message.failure());
    return std::nullopt;
}

CommandResult respond(Completion& completion, const std::string& update_id, const Response& message,
                      const Found& found) {
    if (found.row == nullptr || found.row->accepted_event_id() == 0 ||
        found.row->completed_event_id() != 0) {
        return wrong_state(completion, update_id, message, found);
    }
    if (!message.has_meta()) return not_set(message, "meta");
    if (message.meta().update_id().empty()) return not_set(message, "meta.update_id");
    if (message.meta().update_id() != update_id) {
        return bad("invalid " + short_name(message) + ": meta.update_id != " + update_id);
    }
    if (!message.has_outcome()) return not_set(message, "outcome");
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED);
    auto& completed = *event.mutable_workflow_execution_update_completed_event_attributes();
    *completed.mutable_meta() = message.meta();
    completed.set_accepted_event_id(found.row->accepted_event_id());
    *completed.mutable_outcome() = message.outcome();
    Builder& builder = completion.builder;
    const EventId id = builder.add_event(std::move(event));
    builder.draft().updates.edit(found.row->item()).set_completed_event_id(id.value());
    send_update_callbacks(builder, update_id, id);
    UpdateChange change{update_id, UpdateChange::Kind::kCompleted};
    change.outcome = message.outcome();
    builder.note_update(std::move(change));
    return std::nullopt;
}

/// The run has closed in this completion: it can take no more events. The worker has answered, so the
/// caller is not sent on to the run that may follow.
void abort_answered(Completion& completion, const Message& message, const Found& found) {
    if (found.pending == nullptr) return;  // an accepted one fails with the close
    Builder& builder = completion.builder;
    builder.draft().pending_updates.erase(found.pending_id);
    builder.note_update(
        {message.protocol_instance_id(), UpdateChange::Kind::kAborted, {}, aborted_by_close()});
}

CommandResult obey_update_message(Completion& completion, const Message& message) {
    const std::string& update_id = message.protocol_instance_id();
    Found found = find(completion, update_id);
    const bool known = found.pending != nullptr || found.row != nullptr ||
                       completion.updates_rejected.contains(update_id);
    if (!known) {
        if (CommandResult refusal = resurrect(completion, message, found)) return refusal;
    }
    Rejection rejection;
    if (message.body().UnpackTo(&rejection)) {
        return reject(completion, update_id, rejection, found);
    }
    if (!completion.builder.is_open()) {
        abort_answered(completion, message, found);
        return std::nullopt;
    }
    Acceptance acceptance;
    if (message.body().UnpackTo(&acceptance)) {
        return accept(completion, update_id, acceptance, found);
    }
    Response response;
    if (message.body().UnpackTo(&response)) {
        return respond(completion, update_id, response, found);
    }
    if (message.body().Is<Request>()) return bad("Message type *update.Request not supported");
    return bad("unable to unmarshal request: " + body_type(message));
}

CommandResult obey_message(Completion& completion, const Message& message) {
    const std::string type = body_type(message);
    if (CommandResult refusal = check_blob_size(completion, message.body().ByteSizeLong(), kBad,
                                                "Message type " + type + " exceeds size limit.")) {
        return refusal;
    }
    const std::string protocol = type.substr(0, type.rfind('.'));
    if (protocol != kUpdateProtocol) return bad("unsupported protocol type " + protocol);
    return obey_update_message(completion, message);
}

api::failure::v1::Failure unanswered_failure() {
    api::failure::v1::Failure failure;
    failure.set_message(
        "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow "
        "Update is not supported by the worker.");
    failure.set_source("Server");
    failure.mutable_application_failure_info()->set_type("UnprocessedUpdate");
    failure.mutable_application_failure_info()->set_non_retryable(true);
    return failure;
}

}  // namespace

absl::Status check_messages(const service::RespondWorkflowTaskCompletedRequest& request) {
    for (const Message& message : request.messages()) {
        if (!message.has_body()) return invalid_argument("nil message body");
        const std::string type = body_type(message);
        if (type.empty()) return invalid_argument("no message name specified");
        if (type.find('.') == std::string::npos) {
            return invalid_argument("failed to extract protocol type: no . found in \"" + type +
                                    "\"");
        }
    }
    return absl::OkStatus();
}

CommandResult handle_protocol_message(Completion& completion, const Command& command) {
    if (!command.has_protocol_message_command_attributes()) {
        return bad("ProtocolMessageCommandAttributes is not set on ProtocolMessageCommand.");
    }
    const std::string& id = command.protocol_message_command_attributes().message_id();
    if (id.empty()) return bad("MessageID is not set on ProtocolMessageCommand.");
    for (int i = 0; i < completion.request.messages_size(); ++i) {
        if (completion.request.messages(i).id() != id) continue;
        if (!completion.messages_taken.insert(i).second) break;
        return obey_message(completion, completion.request.messages(i));
    }
    return bad("ProtocolMessageCommand referenced absent message ID " + id);
}

CommandResult obey_remaining_messages(Completion& completion) {
    for (int i = 0; i < completion.request.messages_size(); ++i) {
        if (completion.messages_taken.contains(i)) continue;
        if (CommandResult refusal = obey_message(completion, completion.request.messages(i))) {
            return refusal;
        }
    }
    return std::nullopt;
}

void reject_unanswered_updates(Completion& completion) {
    Builder& builder = completion.builder;
    // With a heartbeat the worker may be still at it; a run that has closed aborts its updates.
    if (completion.request.force_create_new_workflow_task() || !builder.is_open()) return;
    const std::int64_t started = builder.header().last_completed_task_started_event_id();
    std::vector<std::string> unanswered;
    builder.draft().pending_updates.for_each([&](ItemId, const PendingUpdate& update) {
        if (update.sent) unanswered.push_back(update.update_id);
    });
    builder.draft().updates.for_each([&](ItemId, const storage::UpdateRow& row) {
        const bool shown = row.admitted_event_id() != 0 && row.admitted_event_id() < started;
        if (shown && row.accepted_event_id() == 0) unanswered.push_back(row.update_id());
    });
    for (const std::string& update_id : unanswered) {
        forget_rejected(completion, update_id, find(completion, update_id), unanswered_failure());
    }
}

}  // namespace stele::history
