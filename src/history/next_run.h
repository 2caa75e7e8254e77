#pragma once

#include "history/families.h"
#include "history/retry_policy.h"

// A run that has ended may begin again as a run of its own: because its retry policy says so after a
// failure or a timeout, or because its cron schedule does after any end but a termination or a
// cancellation. The policy goes before the schedule.
namespace stele::history {

struct NextRun {
    /// Why a failed run is not tried again, or IN_PROGRESS.
    RetryState retry_state = temporal::api::enums::v1::RETRY_STATE_UNSPECIFIED;
    /// Unspecified: there is no next run.
    temporal::api::enums::v1::ContinueAsNewInitiator initiator =
        temporal::api::enums::v1::CONTINUE_AS_NEW_INITIATOR_UNSPECIFIED;
    Duration backoff{};
    std::string run_id;  // empty: there is none

    bool exists() const { return !run_id.empty(); }
};

/// After a completion.
NextRun decide_next_run(const Builder& builder);
/// After a failure or a timeout.
NextRun decide_next_run(const Builder& builder, const api::failure::v1::Failure& failure);

/// What the next run is told about those before it.
struct LastOutcome {
    std::optional<api::common::v1::Payloads> result;  // of the last run that completed
    std::optional<api::failure::v1::Failure> failure;  // of the run that has just ended
};
/// Adds the next run to the transition, if there is one.
void add_next_run(Builder& builder, const NextRun& next, const LastOutcome& last);

/// The result that the ending run was itself told of.
std::optional<api::common::v1::Payloads> inherited_result(const Builder& builder);

}  // namespace stele::history
