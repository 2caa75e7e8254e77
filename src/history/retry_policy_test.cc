#include "history/retry_policy.h"

#include "history/failures.h"

#include <gtest/gtest.h>

#include <vector>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp kNow{std::chrono::hours(500'000)};

RetryPolicy default_policy() {
    RetryPolicy policy;
    fill_retry_policy(policy);
    return policy;
}

Failure application_failure(const std::string& type = "Boom", bool non_retryable = false) {
    Failure failure;
    failure.set_message("boom");
    failure.mutable_application_failure_info()->set_type(type);
    failure.mutable_application_failure_info()->set_non_retryable(non_retryable);
    return failure;
}

Failure failure_with_delay(Duration delay) {
    Failure failure = application_failure();
    *failure.mutable_application_failure_info()->mutable_next_retry_delay() = to_proto(delay);
    return failure;
}

RetryDecision decide(const RetryPolicy& policy, std::int32_t attempt,
                     const Failure& failure = application_failure(),
                     Timestamp expiration = kNever) {
    return decide_retry({.policy = policy,
                         .failure = failure,
                         .attempt = attempt,
                         .now = kNow,
                         .expiration = expiration});
}

TEST(RetryPolicyDefaults, FillOnlyWhatIsLeftOpen) {
    const RetryPolicy policy = default_policy();
    EXPECT_EQ(from_proto(policy.initial_interval()), seconds(1));
    EXPECT_EQ(from_proto(policy.maximum_interval()), seconds(100));
    EXPECT_EQ(policy.backoff_coefficient(), 2.0);
    EXPECT_EQ(policy.maximum_attempts(), 0);

    RetryPolicy given;
    *given.mutable_initial_interval() = to_proto(milliseconds(50));
    given.set_backoff_coefficient(1.5);
    fill_retry_policy(given);
    EXPECT_EQ(from_proto(given.initial_interval()), milliseconds(50));
    EXPECT_EQ(from_proto(given.maximum_interval()), seconds(5));
    EXPECT_EQ(given.backoff_coefficient(), 1.5);
}

struct BackoffCase {
    Duration initial;
    double coefficient;
    Duration maximum;
    std::vector<Duration> backoffs;  // after attempt 1, 2, 3, ...
};

TEST(Backoff, GrowsByTheCoefficientUpToTheMaximum) {
    const std::vector<BackoffCase> cases = {
        {seconds(1),
         2.0,
         seconds(100),
         {seconds(1), seconds(2), seconds(4), seconds(8), seconds(16), seconds(32), seconds(64),
          seconds(100), seconds(100)}},
        {seconds(3), 1.0, seconds(300), {seconds(3), seconds(3), seconds(3)}},
        {milliseconds(100),
         1.5,
         seconds(10),
         {milliseconds(100), milliseconds(150), milliseconds(225)}},
        {seconds(1), 10.0, seconds(5), {seconds(1), seconds(5), seconds(5)}},
    };
    for (const BackoffCase& wanted : cases) {
        RetryPolicy policy;
        *policy.mutable_initial_interval() = to_proto(wanted.initial);
        *policy.mutable_maximum_interval() = to_proto(wanted.maximum);
        policy.set_backoff_coefficient(wanted.coefficient);
        for (std::size_t i = 0; i < wanted.backoffs.size(); ++i) {
            const RetryDecision decision = decide(policy, static_cast<std::int32_t>(i) + 1);
            EXPECT_EQ(decision.state, enums::RETRY_STATE_IN_PROGRESS);
            EXPECT_EQ(decision.backoff, wanted.backoffs[i]) << "attempt " << i + 1;
        }
    }
}

TEST(Backoff, SurvivesAttemptsWithoutEnd) {
    EXPECT_EQ(decide(default_policy(), 100'000).backoff, seconds(100));
    RetryPolicy unbounded = default_policy();
    *unbounded.mutable_maximum_interval() = to_proto(Duration::max());
    EXPECT_GT(decide(unbounded, 2'000'000'000).backoff, std::chrono::hours(24 * 365 * 200));
}

TEST(Retry, EndsWithTheLastAttempt) {
    RetryPolicy policy = default_policy();
    policy.set_maximum_attempts(3);
    EXPECT_EQ(decide(policy, 2).state, enums::RETRY_STATE_IN_PROGRESS);
    EXPECT_EQ(decide(policy, 3).state, enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
    EXPECT_EQ(decide(policy, 4).state, enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED);
}

TEST(Retry, MayBeginAtTheExpirationButNotAfter) {
    const RetryPolicy policy = default_policy();
    EXPECT_EQ(decide(policy, 1, application_failure(), kNow + seconds(1)).state,
              enums::RETRY_STATE_IN_PROGRESS);
    EXPECT_EQ(decide(policy, 1, application_failure(), kNow + seconds(1) - Duration(1)).state,
              enums::RETRY_STATE_TIMEOUT);
}

TEST(Retry, ADelayThatTheFailureAsksForReplacesTheBackoff) {
    const RetryPolicy policy = default_policy();
    EXPECT_EQ(decide(policy, 5, failure_with_delay(milliseconds(7))).backoff, milliseconds(7));
    // Longer than the policy would ever wait.
    EXPECT_EQ(decide(policy, 1, failure_with_delay(seconds(500))).backoff, seconds(500));
    // But not longer than there is time.
    EXPECT_EQ(decide(policy, 1, failure_with_delay(seconds(500)), kNow + seconds(499)).state,
              enums::RETRY_STATE_TIMEOUT);
    EXPECT_GE(decide(policy, 1, failure_with_delay(seconds(-5))).backoff, Duration::zero());
}

TEST(Retry, ForWorkflowsTheDelayStaysWithinThePolicy) {
    const RetryPolicy policy = default_policy();
    const Failure failure = failure_with_delay(seconds(500));
    const RetryDecision decision = decide_retry(
        {.policy = policy, .failure = failure, .now = kNow, .delay_overrides_maximum = false});
    EXPECT_EQ(decision.backoff, seconds(100));
}

TEST(Retry, HonoursWhatTheFailureSays) {
    RetryPolicy policy = default_policy();
    policy.add_non_retryable_error_types("Fatal");
    policy.add_non_retryable_error_types("TemporalTimeout:Heartbeat");
    Failure canceled;
    canceled.mutable_canceled_failure_info();
    Failure terminated;
    terminated.mutable_terminated_failure_info();

    EXPECT_TRUE(is_retryable(application_failure("Boom"), policy));
    EXPECT_TRUE(is_retryable(Failure(), policy));
    EXPECT_TRUE(is_retryable(server_failure("x", false), policy));
    EXPECT_TRUE(is_retryable(activity_timeout_failure(enums::TIMEOUT_TYPE_START_TO_CLOSE), policy));

    EXPECT_FALSE(is_retryable(application_failure("Fatal"), policy));
    EXPECT_FALSE(is_retryable(application_failure("Boom", true), policy));
    EXPECT_FALSE(is_retryable(server_failure("x", true), policy));
    EXPECT_FALSE(is_retryable(canceled, policy));
    EXPECT_FALSE(is_retryable(terminated, policy));
    EXPECT_FALSE(is_retryable(activity_timeout_failure(enums::TIMEOUT_TYPE_HEARTBEAT), policy));
    EXPECT_FALSE(
        is_retryable(activity_timeout_failure(enums::TIMEOUT_TYPE_SCHEDULE_TO_START), policy));
    EXPECT_EQ(decide(policy, 1, application_failure("Fatal")).state,
              enums::RETRY_STATE_NON_RETRYABLE_FAILURE);
}

std::string validation_message(RetryPolicy policy) {
    return message_of(validate_retry_policy(policy));
}

TEST(RetryPolicyValidation, NamesWhatIsWrong) {
    EXPECT_EQ(validation_message(default_policy()), "");

    RetryPolicy policy = default_policy();
    policy.set_backoff_coefficient(0.5);
    EXPECT_EQ(validation_message(policy),
              "BackoffCoefficient cannot be less than 1 on retry policy.");
    policy.set_maximum_attempts(1);
    EXPECT_EQ(validation_message(policy), "") << "one attempt needs no valid backoff";

    policy = default_policy();
    policy.mutable_initial_interval()->set_seconds(-1);
    EXPECT_EQ(validation_message(policy),
              "invalid InitialInterval set on retry policy: negative duration");

    policy = default_policy();
    policy.mutable_maximum_interval()->set_nanos(-1);
    EXPECT_EQ(validation_message(policy),
              "invalid MaximumInterval set on retry policy: duration has seconds and nanos with "
              "different signs");

    policy = default_policy();
    policy.mutable_initial_interval()->set_seconds(200);
    EXPECT_EQ(validation_message(policy),
              "MaximumInterval cannot be less than InitialInterval on retry policy.");

    policy = default_policy();
    policy.set_maximum_attempts(-1);
    EXPECT_EQ(validation_message(policy), "MaximumAttempts cannot be negative on retry policy.");

    policy = default_policy();
    policy.add_non_retryable_error_types("TemporalTimeout:Lunch");
    EXPECT_EQ(validation_message(policy), "Invalid timeout type value: Lunch.");
    EXPECT_EQ(validate_retry_policy(policy).code(), absl::StatusCode::kInvalidArgument);
}

TEST(DurationValidation, CutsWhatIsBeyondACentury) {
    google::protobuf::Duration duration;
    duration.set_seconds(INT64_C(315'576'000'000));
    EXPECT_TRUE(validate_duration(duration, "x").ok());
    EXPECT_EQ(duration.seconds(), INT64_C(100) * 365 * 24 * 3600);
}

}  // namespace
}  // namespace stele::history
