#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

#include "stele/options.h"
#include "stele/runtime.h"

namespace stele::sdk {

/// Lets through so many tasks a second on average. What has not been used is saved up for a second at
/// most. Not thread safe.
class RateLimit {
public:
    RateLimit(double per_second, Runtime::Time now)
        : per_second_(per_second),
          saved_max_(std::max(1.0, per_second)),
          saved_(saved_max_),
          counted_(now) {}

    bool try_take(Runtime::Time now) {
        count(now);
        if (saved_ < 1) return false;
        saved_ -= 1;
        return true;
    }
    /// What was taken has not been needed.
    void give_back() { saved_ = std::min(saved_ + 1, saved_max_); }
    /// How long until the next one, rounded up.
    Milliseconds until_next() const {
        if (saved_ >= 1) return Milliseconds(0);
        return Milliseconds(static_cast<std::int64_t>(std::ceil((1 - saved_) / per_second_ * 1e3)));
    }

private:
    void count(Runtime::Time now) {
        const std::chrono::duration<double> passed = now - counted_;
        counted_ = now;
        if (passed.count() > 0)
            saved_ = std::min(saved_ + passed.count() * per_second_, saved_max_);
    }

    double per_second_;
    double saved_max_;
    double saved_;
    Runtime::Time counted_;
};

}  // namespace stele::sdk
