#pragma once

#include "history/callbacks.h"
#include "history/families.h"

// What the other families of the core need of callbacks. Nothing outside history includes this
// header. Not thread safe: all work on a builder, or on a run that is being rebuilt.
namespace stele::history {

using Callbacks = google::protobuf::RepeatedPtrField<api::common::v1::Callback>;

/// Who attached callbacks, and to what.
struct CallbackOrigin {
    std::string request_id;
    std::string update_id{};  // empty: they wait for the close of the run
};

/// Whether that many more callbacks may be attached to a run that has `attached`;
/// FAILED_PRECONDITION otherwise.
absl::Status check_callback_count(std::size_t attached, int added, const Limits& limits);
/// The same, and for an update its own limit too.
absl::Status check_callbacks(const Draft& draft, const CallbackOrigin& origin, int added,
                             const Limits& limits);
void attach_callbacks(Builder& builder, const CallbackOrigin& origin, const Callbacks& callbacks);
/// The same while a run is rebuilt; `when` is the time of the event that tells of them.
void restore_callbacks(Run& run, const CallbackOrigin& origin, const Callbacks& callbacks,
                       Timestamp when);
/// The update was rejected: nobody is told more than its caller.
void drop_update_callbacks(Builder& builder, const std::string& update_id);
/// While a run is rebuilt: the update has ended, and the run that it ended in has told so.
void forget_update_callbacks(Run& run, const std::string& update_id);

/// Those that stand by for the close of the run, as the run that takes over is given them.
Callbacks standing_by(const Draft& draft);

/// The run has closed with its last event: sends what waits for that, and for updates that had been
/// accepted.
void send_close_callbacks(Builder& builder);
/// The update has ended with this event.
void send_update_callbacks(Builder& builder, const std::string& update_id, EventId outcome);

void describe_callbacks(const Run& run, service::DescribeWorkflowExecutionResponse& response);

}  // namespace stele::history
