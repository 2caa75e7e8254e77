#include "history/next_run.h"

#include "base/probe.h"
#include "history/begin_run.h"
#include "history/callback_family.h"

#include "cron/schedule.h"

#include <utility>

namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

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

void decide_by_schedule(const Builder& builder, NextRun& next) {
    if (STELE_BUG("next-run.schedule-skipped")) return;
    const auto wait = cron::backoff(builder.info().cron_schedule(),
                                    from_proto(builder.header().execution_time()), builder.now());
    if (!wait) return;
    STELE_PROBE("history.next-of-schedule");
    next.initiator = enums::CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE;
    next.backoff = *wait;
    next.run_id = builder.context().new_id();
}

}  // namespace

NextRun decide_next_run(const Builder& builder) {
    NextRun next;
    decide_by_schedule(builder, next);
    return next;
}

NextRun decide_next_run(const Builder& builder, const api::failure::v1::Failure& failure) {
    const RetryDecision retry = decide_run_retry(builder, failure);
    NextRun next;
    next.retry_state = retry.state;
    if (retry.state == enums::RETRY_STATE_IN_PROGRESS) {
        STELE_PROBE("history.run-retried");
        next.initiator = enums::CONTINUE_AS_NEW_INITIATOR_RETRY;
        next.backoff = retry.backoff;
        next.run_id = builder.context().new_id();
    } else {
        decide_by_schedule(builder, next);
    }
    return next;
}

std::optional<api::common::v1::Payloads> inherited_result(const Builder& builder) {
    const auto& started = builder.info().started();
    if (!started.has_last_completion_result()) return std::nullopt;
    return started.last_completion_result();
}

void add_next_run(Builder& builder, const NextRun& next, const LastOutcome& last) {
    if (!next.exists()) return;
    const bool retry = next.initiator == enums::CONTINUE_AS_NEW_INITIATOR_RETRY;
    api::history::v1::WorkflowExecutionStartedEventAttributes started = builder.info().started();
    started.set_attempt(
        retry && !STELE_BUG("next-run.attempt-not-counted") ? builder.info().attempt() + 1 : 1);
    started.set_initiator(next.initiator);
    started.clear_identity();
    started.clear_eager_execution_accepted();
    *started.mutable_first_workflow_task_backoff() =
        to_proto(STELE_BUG("next-run.no-backoff") ? Duration::zero()
                                                  : spaced_backoff(builder, next.backoff));
    started.clear_last_completion_result();
    if (last.result && !STELE_BUG("next-run.result-lost"))
        *started.mutable_last_completion_result() = *last.result;
    started.clear_continued_failure();
    if (last.failure) *started.mutable_continued_failure() = *last.failure;
    // Callers are told how the chain of attempts ends; of a cron schedule, how its first run does.
    started.clear_completion_callbacks();
    if (retry) *started.mutable_completion_callbacks() = standing_by(builder.draft());
    add_successor(builder, next.run_id, std::move(started));
}

}  // namespace stele::history
