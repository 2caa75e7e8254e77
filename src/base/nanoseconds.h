#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

// What protobuf's times are in nanoseconds. For the engine and the SDK, which have types of their own for
// moments. Pure.
namespace stele {

/// Of a timestamp, since its epoch, or of a duration. What is too far from zero, some 292 years, becomes
/// the last that there is: messages may come from anywhere.
template <typename Time>
std::chrono::nanoseconds to_nanoseconds(const Time& time) {
    constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
    constexpr std::int64_t kSecondsMax =
        std::numeric_limits<std::int64_t>::max() / kNanosPerSecond - 3;  // nanos: up to 2^31
    if (time.seconds() > kSecondsMax) return std::chrono::nanoseconds::max();
    if (time.seconds() < -kSecondsMax) return std::chrono::nanoseconds::min();
    return std::chrono::nanoseconds(time.seconds() * kNanosPerSecond + time.nanos());
}

}  // namespace stele
