#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>

// Time as the engine sees it: nanoseconds since the Unix epoch, handed in from outside. Nothing
// here reads a clock; that is the business of env/.
namespace stele {

using Duration = std::chrono::nanoseconds;

struct UnixEpoch {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<UnixEpoch, Duration>;
};
using Timestamp = UnixEpoch::time_point;

/// Later than every moment that is ever compared with it; used for "no deadline".
inline constexpr Timestamp kNever = Timestamp::max();
/// The epoch, which stands for "not set" as an absent protobuf timestamp does.
inline constexpr Timestamp kUnset{};

Timestamp from_proto(const google::protobuf::Timestamp& time);
/// Saturates at about ±292 years; negative and odd values pass through unchecked.
Duration from_proto(const google::protobuf::Duration& duration);
google::protobuf::Timestamp to_proto(Timestamp time);
google::protobuf::Duration to_proto(Duration duration);

/// `time + duration` without overflow: a sum past the end is kNever.
Timestamp add_saturating(Timestamp time, Duration duration);

}  // namespace stele
