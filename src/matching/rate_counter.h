#pragma once

#include "base/time.h"

#include <array>
#include <cstdint>

namespace stele::matching {

/// Counts events and tells how many there were a second over the last half minute, or since the
/// first one if that is shorter ago. Not thread safe.
class RateCounter {
public:
    void add(Timestamp now, std::int64_t count = 1);
    double per_second(Timestamp now) const;

private:
    static constexpr std::int64_t kBuckets = 6;
    static constexpr Duration kBucket = std::chrono::seconds(5);

    static std::int64_t bucket_of(Timestamp now) {
        return now.time_since_epoch() / kBucket;
    }

    std::array<std::int64_t, kBuckets> counts_{};
    std::int64_t newest_ = 0;  // number of the newest bucket
    Timestamp first_ = kNever;
};

}  // namespace stele::matching
