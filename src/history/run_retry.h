#pragma once

#include "history/families.h"
#include "history/retry_policy.h"

// A workflow with a retry policy that failed or ran out of time begins again, as a run of its own.
namespace stele::history {

/// Whether there is to be another run after this failure, and how long it waits.
RetryDecision decide_run_retry(const Builder& builder, const api::failure::v1::Failure& failure);

/// Adds that run to the transition.
void add_retry_successor(Builder& builder, const std::string& new_run_id, Duration backoff,
                         const api::failure::v1::Failure& failure);

}  // namespace stele::history
