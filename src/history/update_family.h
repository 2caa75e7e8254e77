#pragma once

#include "history/families.h"
#include "history/update.h"

#include <vector>

// What the other families of the core need of updates. Nothing outside history includes this header.
// Not thread safe.
namespace stele::history {

// ---- On the way to a worker (update.cc) ----------------------------------------------------

/// The updates that the started task brings to its worker, oldest first, as messages that come just
/// before the Started event. With `resend`, also those that an earlier task brought in vain.
std::vector<api::protocol::v1::Message> send_updates(Builder& builder, bool resend);
/// Whether an update waits for a task.
bool has_unsent_update(const Draft& draft);
/// Whether the run has had so many updates that it should continue as new.
bool suggests_continue_as_new(const Builder& builder);

/// Ends what the close of the run leaves open: callers of updates that nobody has accepted are told
/// to go (or, where another run takes over, to try that), accepted ones fail.
void end_updates(Builder& builder);
/// A worker's answer could not be obeyed: updates that it has seen fail, the others go on waiting.
void fail_sent_updates(Builder& builder);
/// The failure of an accepted update whose run has closed.
api::update::v1::Outcome outcome_of_closed_run();
/// What the caller of an update is told whose run has closed before it was accepted.
absl::Status aborted_by_close();
/// The request id of an update is known to the run from its first event on.
void remember_update_request(Builder& builder, const api::update::v1::Request& request,
                             EventId event, EventType event_type);
/// Who sent the update is told of its end by the callbacks of the request.
void attach_update_callbacks(Builder& builder, const api::update::v1::Request& request);
/// An update was accepted: writes down who else wants to be told.
void record_joined(Builder& builder, const PendingUpdate& update);
/// FAILED_PRECONDITION when the run may have no further update.
absl::Status check_update_count(const Draft& draft, const Limits& limits);

// ---- A worker's answers (update_messages.cc) -----------------------------------------------

/// INVALID_ARGUMENT when a message has no body, or one without a name.
absl::Status check_messages(const service::RespondWorkflowTaskCompletedRequest& request);
/// PROTOCOL_MESSAGE: obeys the message that it names, in its place among the commands.
CommandResult handle_protocol_message(Completion& completion, const Command& command);
/// Obeys the messages that no command has named.
CommandResult obey_remaining_messages(Completion& completion);
/// A worker must answer each update that its task brought. One that does not know updates says
/// nothing: they are rejected, or they would come again with every task.
void reject_unanswered_updates(Completion& completion);

}  // namespace stele::history
