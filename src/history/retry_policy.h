#pragma once

#include "base/status.h"
#include "base/time.h"
#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"
#include "temporal/api/failure/v1/message.pb.h"

#include <cstdint>

// When something that failed is tried again: the backoff of activity and workflow retries.
// Functions of their arguments. Thread safe.
namespace stele::history {

using temporal::api::common::v1::RetryPolicy;
using temporal::api::enums::v1::RetryState;

/// Sets what a policy leaves open: first interval 1 s, doubling, at most 100 times the first.
void fill_retry_policy(RetryPolicy& policy);

/// INVALID_ARGUMENT for a policy that can not be followed. A policy with one attempt never retries,
/// so nothing else of it is looked at. Durations beyond a century are cut to it.
absl::Status validate_retry_policy(RetryPolicy& policy);

/// Whether this failure permits another attempt: not when it says so itself, when its type is
/// listed ("TemporalTimeout:Heartbeat" names a timeout), or when it is a cancellation or a
/// termination.
bool is_retryable(const temporal::api::failure::v1::Failure& failure, const RetryPolicy& policy);

/// What the next attempt is decided from.
struct RetryQuestion {
    const RetryPolicy& policy;  // with its defaults filled in
    const temporal::api::failure::v1::Failure& failure;
    std::int32_t attempt = 1;  // the one that failed
    Timestamp now;
    Timestamp expiration = kNever;  // no attempt may begin after this
    /// Whether a delay that the failure asks for may be longer than the policy's longest.
    bool delay_overrides_maximum = true;
};

struct RetryDecision {
    /// IN_PROGRESS when there is another attempt; otherwise the reason why not.
    RetryState state = temporal::api::enums::v1::RETRY_STATE_IN_PROGRESS;
    Duration backoff{};
};
RetryDecision decide_retry(const RetryQuestion& question);

/// How long the policy waits when attempts are counted up to `attempt`; zero when it does not wait.
Duration retry_interval(const RetryPolicy& policy, std::int32_t attempt);

/// INVALID_ARGUMENT for a negative duration or one whose parts have different signs; one beyond a
/// century is cut to it. `field` begins the message.
absl::Status validate_duration(google::protobuf::Duration& duration, const std::string& field);

}  // namespace stele::history
