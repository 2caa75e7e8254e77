#include "sdk/data/convert.h"

#include <string>

namespace stele::sdk {

temporal::api::common::v1::RetryPolicy to_message(const RetryPolicy& policy) {
    temporal::api::common::v1::RetryPolicy message;
    if (policy.initial_interval.count() > 0)
        *message.mutable_initial_interval() = to_duration(policy.initial_interval);
    message.set_backoff_coefficient(policy.backoff_coefficient);
    if (policy.maximum_interval.count() > 0)
        *message.mutable_maximum_interval() = to_duration(policy.maximum_interval);
    message.set_maximum_attempts(policy.maximum_attempts);
    for (const std::string_view type : policy.non_retryable_error_types)
        if (!type.empty()) message.add_non_retryable_error_types(std::string(type));
    return message;
}

std::optional<temporal::api::common::v1::Priority> to_message(const Priority& priority) {
    if (priority.key == 0 && priority.fairness_key.empty() && !(priority.fairness_weight > 0))
        return std::nullopt;
    temporal::api::common::v1::Priority message;
    message.set_priority_key(priority.key);
    message.set_fairness_key(std::string(priority.fairness_key));
    message.set_fairness_weight(priority.fairness_weight);
    return message;
}

Payload json_string(std::string_view text) { return encode_value(std::string(text)); }

}  // namespace stele::sdk
