#include "history/retry_policy.h"

#include "base/probe.h"
#include "history/failures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

constexpr Duration kFirstInterval = std::chrono::seconds(1);
constexpr double kCoefficient = 2.0;
constexpr int kMaximumFactor = 100;
constexpr std::int64_t kLongestSeconds = std::int64_t{100} * 365 * 24 * 3600;
constexpr char kTimeoutPrefix[] = "TemporalTimeout:";

bool lists_type(const RetryPolicy& policy, const std::string& type) {
    const auto& types = policy.non_retryable_error_types();
    return std::find(types.begin(), types.end(), type) != types.end();
}

bool is_timeout_name(const std::string& name) {
    for (const TimeoutType type :
         {enums::TIMEOUT_TYPE_START_TO_CLOSE, enums::TIMEOUT_TYPE_SCHEDULE_TO_START,
          enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, enums::TIMEOUT_TYPE_HEARTBEAT}) {
        if (name == timeout_name(type)) return true;
    }
    return false;
}

absl::Status validate_timeout_types(const RetryPolicy& policy) {
    const std::string prefix = kTimeoutPrefix;
    for (const std::string& type : policy.non_retryable_error_types()) {
        if (type.compare(0, prefix.size(), prefix) != 0) continue;
        const std::string name = type.substr(prefix.size());
        if (!is_timeout_name(name)) {
            return invalid_argument("Invalid timeout type value: " + name + ".");
        }
    }
    return absl::OkStatus();
}

/// The delay that the failure asks for instead of the computed one.
std::optional<Duration> requested_delay(const temporal::api::failure::v1::Failure& failure) {
    if (!failure.application_failure_info().has_next_retry_delay()) return std::nullopt;
    return from_proto(failure.application_failure_info().next_retry_delay());
}

Duration exponential_interval(const RetryPolicy& policy, std::int32_t attempt) {
    const double first = static_cast<double>(from_proto(policy.initial_interval()).count());
    const double nanos = first * std::pow(policy.backoff_coefficient(), attempt - 1);
    if (nanos >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) {
        return Duration::max();
    }
    return Duration(std::max<std::int64_t>(0, static_cast<std::int64_t>(nanos)));
}

}  // namespace

absl::Status validate_duration(google::protobuf::Duration& duration, const std::string& field) {
    const bool mixed = (duration.seconds() > 0 && duration.nanos() < 0) ||
                       (duration.seconds() < 0 && duration.nanos() > 0);
    if (mixed) {
        return invalid_argument(field + ": duration has seconds and nanos with different signs");
    }
    if (duration.seconds() < 0 || duration.nanos() < 0) {
        return invalid_argument(field + ": negative duration");
    }
    if (duration.seconds() >= kLongestSeconds) {
        duration.set_seconds(kLongestSeconds);
        duration.set_nanos(0);
    }
    return absl::OkStatus();
}

void fill_retry_policy(RetryPolicy& policy) {
    if (from_proto(policy.initial_interval()) == Duration::zero()) {
        *policy.mutable_initial_interval() = to_proto(kFirstInterval);
    }
    if (from_proto(policy.maximum_interval()) == Duration::zero()) {
        const Duration first = from_proto(policy.initial_interval());
        const bool fits = first < Duration::max() / kMaximumFactor;
        *policy.mutable_maximum_interval() =
            to_proto(fits ? first * kMaximumFactor : Duration::max());
    }
    if (policy.backoff_coefficient() == 0) policy.set_backoff_coefficient(kCoefficient);
}

absl::Status validate_retry_policy(RetryPolicy& policy) {
    if (policy.maximum_attempts() == 1) return absl::OkStatus();
    if (policy.has_initial_interval()) {
        STELE_RETURN_IF_ERROR(validate_duration(*policy.mutable_initial_interval(),
                                                "invalid InitialInterval set on retry policy"));
    }
    if (!(policy.backoff_coefficient() >= 1)) {
        return invalid_argument("BackoffCoefficient cannot be less than 1 on retry policy.");
    }
    if (policy.has_maximum_interval()) {
        STELE_RETURN_IF_ERROR(validate_duration(*policy.mutable_maximum_interval(),
                                                "invalid MaximumInterval set on retry policy"));
    }
    const Duration maximum = from_proto(policy.maximum_interval());
    if (maximum > Duration::zero() && maximum < from_proto(policy.initial_interval())) {
        return invalid_argument(
            "MaximumInterval cannot be less than InitialInterval on retry policy.");
    }
    if (policy.maximum_attempts() < 0) {
        return invalid_argument("MaximumAttempts cannot be negative on retry policy.");
    }
    return validate_timeout_types(policy);
}

bool is_retryable(const temporal::api::failure::v1::Failure& failure, const RetryPolicy& policy) {
    if (failure.has_terminated_failure_info() || failure.has_canceled_failure_info()) return false;
    if (failure.has_timeout_failure_info()) {
        const TimeoutType type = failure.timeout_failure_info().timeout_type();
        const bool of_an_attempt =
            type == enums::TIMEOUT_TYPE_START_TO_CLOSE || type == enums::TIMEOUT_TYPE_HEARTBEAT;
        return of_an_attempt && !lists_type(policy, kTimeoutPrefix + timeout_name(type));
    }
    if (failure.has_server_failure_info()) {
        return !failure.server_failure_info().non_retryable();
    }
    if (failure.has_application_failure_info()) {
        const auto& info = failure.application_failure_info();
        return !info.non_retryable() && !lists_type(policy, info.type());
    }
    return true;
}

Duration retry_interval(const RetryPolicy& policy, std::int32_t attempt) {
    const Duration interval = exponential_interval(policy, attempt);
    const Duration maximum = from_proto(policy.maximum_interval());
    const bool bounded =
        maximum != Duration::zero() && (interval <= Duration::zero() || interval > maximum);
    return bounded ? maximum : interval;
}

RetryDecision decide_retry(const RetryQuestion& question) {
    const RetryPolicy& policy = question.policy;
    if (!is_retryable(question.failure, policy)) {
        return {enums::RETRY_STATE_NON_RETRYABLE_FAILURE, {}};
    }
    const std::int32_t attempt = std::max(question.attempt, 1);
    const std::int32_t more = STELE_BUG("retry.beyond-policy") ? 1 : 0;
    if (policy.maximum_attempts() > 0 && attempt >= policy.maximum_attempts() + more) {
        STELE_PROBE("history.attempts-used-up");
        return {enums::RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED, {}};
    }
    const std::optional<Duration> delay = requested_delay(question.failure);
    Duration interval = delay ? *delay : exponential_interval(policy, attempt);
    const Duration maximum =
        delay && question.delay_overrides_maximum ? *delay : from_proto(policy.maximum_interval());
    if (maximum == Duration::zero() && interval <= Duration::zero()) {
        return {enums::RETRY_STATE_TIMEOUT, {}};
    }
    if (maximum != Duration::zero() && (interval <= Duration::zero() || interval > maximum)) {
        interval = maximum;
    }
    if (add_saturating(question.now, interval) > question.expiration) {
        return {enums::RETRY_STATE_TIMEOUT, {}};
    }
    return {enums::RETRY_STATE_IN_PROGRESS, std::max(interval, Duration::zero())};
}

}  // namespace stele::history
