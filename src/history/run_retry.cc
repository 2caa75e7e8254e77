#include "history/run_retry.h"

#include "history/begin_run.h"

#include <utility>

namespace stele::history {

namespace enums = temporal::api::enums::v1;

RetryDecision decide_run_retry(const Builder& builder, const api::failure::v1::Failure& failure) {
    const storage::InfoRow& info = builder.info();
    if (!info.has_retry_policy()) return {enums::RETRY_STATE_RETRY_POLICY_NOT_SET, {}};
    RetryPolicy policy = info.retry_policy();
    fill_retry_policy(policy);
    return decide_retry({.policy = policy,
                         .failure = failure,
                         .attempt = info.attempt(),
                         .now = builder.now(),
                         .expiration = info.has_execution_expiration()
                                           ? from_proto(info.execution_expiration())
                                           : kNever,
                         .delay_overrides_maximum = false});
}

void add_retry_successor(Builder& builder, const std::string& new_run_id, Duration backoff,
                         const api::failure::v1::Failure& failure) {
    api::history::v1::WorkflowExecutionStartedEventAttributes started = builder.info().started();
    started.set_attempt(builder.info().attempt() + 1);
    started.set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_RETRY);
    started.clear_identity();
    *started.mutable_first_workflow_task_backoff() = to_proto(backoff);
    *started.mutable_continued_failure() = failure;
    add_successor(builder, new_run_id, std::move(started));
}

}  // namespace stele::history
