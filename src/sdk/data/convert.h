#pragma once

#include <chrono>
#include <optional>

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include "base/nanoseconds.h"
#include "stele/options.h"
#include "stele/payload.h"
#include "temporal/api/common/v1/message.pb.h"

// Small conversions between the SDK's own types and the API's messages. Pure.
namespace stele::sdk {

using PayloadsMessage = temporal::api::common::v1::Payloads;

inline Payloads to_vector(const PayloadsMessage& message) {
    return Payloads(message.payloads().begin(), message.payloads().end());
}

inline PayloadsMessage to_message(Payloads payloads) {
    PayloadsMessage message;
    for (Payload& payload : payloads) *message.add_payloads() = std::move(payload);
    return message;
}

inline google::protobuf::Duration to_duration(std::chrono::nanoseconds value) {
    google::protobuf::Duration duration;
    duration.set_seconds(value.count() / 1'000'000'000);
    duration.set_nanos(static_cast<std::int32_t>(value.count() % 1'000'000'000));
    return duration;
}

inline Milliseconds from_duration(const google::protobuf::Duration& duration) {
    return std::chrono::duration_cast<Milliseconds>(to_nanoseconds(duration));
}

inline google::protobuf::Timestamp to_timestamp(
    std::chrono::sys_time<std::chrono::nanoseconds> value) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(value);
    google::protobuf::Timestamp time;
    time.set_seconds(seconds.time_since_epoch().count());
    time.set_nanos(static_cast<std::int32_t>((value - seconds).count()));
    return time;
}

inline std::chrono::sys_time<std::chrono::nanoseconds> from_timestamp(
    const google::protobuf::Timestamp& time) {
    return std::chrono::sys_time<std::chrono::nanoseconds>(to_nanoseconds(time));
}

temporal::api::common::v1::RetryPolicy to_message(const RetryPolicy& policy);

/// Nothing where nothing is set.
std::optional<temporal::api::common::v1::Priority> to_message(const Priority& priority);

/// A single JSON string, as user metadata wants it.
Payload json_string(std::string_view text);

}  // namespace stele::sdk
