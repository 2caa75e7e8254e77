#include "base/time.h"

#include "base/nanoseconds.h"

namespace stele {

Timestamp from_proto(const google::protobuf::Timestamp& time) {
    return Timestamp(to_nanoseconds(time));
}

Duration from_proto(const google::protobuf::Duration& duration) { return to_nanoseconds(duration); }

google::protobuf::Timestamp to_proto(Timestamp time) {
    // Floor, because a protobuf timestamp keeps its nanoseconds positive before the epoch too.
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    google::protobuf::Timestamp result;
    result.set_seconds(seconds.time_since_epoch().count());
    result.set_nanos(static_cast<std::int32_t>((time - seconds).count()));
    return result;
}

google::protobuf::Duration to_proto(Duration duration) {
    constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
    google::protobuf::Duration result;
    result.set_seconds(duration.count() / kNanosPerSecond);
    result.set_nanos(static_cast<std::int32_t>(duration.count() % kNanosPerSecond));
    return result;
}

Timestamp add_saturating(Timestamp time, Duration duration) {
    if (duration > Duration::zero() && time > kNever - duration) return kNever;
    return time + duration;
}

}  // namespace stele
