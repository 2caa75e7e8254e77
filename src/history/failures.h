#pragma once

#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"
#include "temporal/api/failure/v1/message.pb.h"

#include <cstddef>
#include <string>

// Failures that the server itself makes, and the cutting down of those that workers send. All of it
// are functions of their arguments. Thread safe.
namespace stele::history {

using temporal::api::enums::v1::TimeoutType;
using temporal::api::failure::v1::Failure;

/// A failure that the server itself found.
Failure server_failure(std::string message, bool non_retryable);

/// "activity StartToClose timeout" and its like.
Failure activity_timeout_failure(TimeoutType type);

/// A timeout after which the time that schedule-to-close leaves is too short for another attempt.
Failure out_of_time_failure();

/// Words for a timeout as clients know them: "StartToClose", "Heartbeat".
std::string timeout_name(TimeoutType type);

/// The most important parts of a failure (kind, type, source, message, stack trace, causes, in this
/// order) in at most about `bytes` bytes. Text is cut between characters, never inside one.
Failure truncate_failure(const Failure& failure, std::size_t bytes);

/// The failure as it is kept for the next attempt: itself, or cut down to the cause of a failure
/// that says so when it is larger than `bytes`.
Failure storable_failure(const Failure& failure, std::size_t bytes);

/// A text without quotes or control characters, as the default converter of the SDKs encodes it.
temporal::api::common::v1::Payloads plain_text_payloads(const std::string& text);

}  // namespace stele::history
