#include "matching/rate_counter.h"

#include <algorithm>

namespace stele::matching {

void RateCounter::add(Timestamp now, std::int64_t count) {
    first_ = std::min(first_, now);
    const std::int64_t bucket = bucket_of(now);
    const std::int64_t passed = std::min(bucket - newest_, kBuckets);
    for (std::int64_t i = 0; i < passed; ++i) {
        counts_[static_cast<std::size_t>((bucket - i) % kBuckets)] = 0;
    }
    newest_ = std::max(newest_, bucket);
    counts_[static_cast<std::size_t>(newest_ % kBuckets)] += count;
}

double RateCounter::per_second(Timestamp now) const {
    const Duration elapsed = std::min<Duration>(now - first_, kBuckets * kBucket);
    if (first_ > now || elapsed <= Duration::zero()) return 0;
    const std::int64_t passed = std::max<std::int64_t>(bucket_of(now) - newest_, 0);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < kBuckets - passed; ++i) {
        sum += counts_[static_cast<std::size_t>((newest_ - i + kBuckets) % kBuckets)];
    }
    return static_cast<double>(sum) / std::chrono::duration<double>(elapsed).count();
}

}  // namespace stele::matching
