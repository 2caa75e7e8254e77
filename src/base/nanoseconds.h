#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

// What protobuf's times are in the SDK's. Pure.
namespace stele::sdk {

/// Seconds and nanoseconds, as timestamps and durations have them. What is too far from zero, some 292
/// years, is the first or the last time that there is: histories may come from anywhere.
inline std::chrono::nanoseconds combine_time(std::int64_t seconds, std::int32_t nanos) {
    constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
    constexpr std::int64_t kSecondsMax =
        std::numeric_limits<std::int64_t>::max() / kNanosPerSecond - 3;  // nanos: up to 2^31
    if (seconds > kSecondsMax) return std::chrono::nanoseconds::max();
    if (seconds < -kSecondsMax) return std::chrono::nanoseconds::min();
    return std::chrono::nanoseconds(seconds * kNanosPerSecond + nanos);
}

/// Of a timestamp or a duration.
template <typename Time>
std::chrono::nanoseconds to_nanoseconds(const Time& time) {
    return combine_time(time.seconds(), time.nanos());
}

}  // namespace stele::sdk
