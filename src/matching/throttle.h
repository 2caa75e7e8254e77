#pragma once

#include "base/time.h"

#include <map>
#include <string>

// Limits on how fast tasks leave a queue. Not thread safe.
namespace stele::matching {

/// Spaces out dispatches: at most `rate` a second, with no burst beyond one second's worth.
class Throttle {
public:
    /// Negative: no limit. Zero stops the queue. What the old rate had put off far into the future
    /// is not put off by the new one.
    void set_rate(double rate, Timestamp now);
    double rate() const { return rate_; }
    bool limited() const { return rate_ >= 0; }
    /// When the next dispatch may leave; kNever for a stopped queue.
    Timestamp next(Timestamp now) const;
    /// A dispatch leaves, which counts for 1/weight.
    void take(Timestamp now, float weight = 1);
    /// The last dispatch has turned out to be none.
    void give_back(float weight = 1);

private:
    Duration gap(float weight) const;

    double rate_ = -1;
    Timestamp next_{};
};

/// A throttle for each fairness key, all of the same rate times the weight of the key.
class KeyThrottles {
public:
    void set_rate(double rate, Timestamp now);
    bool limited() const { return rate_ >= 0; }
    Timestamp next(const std::string& key, Timestamp now) const;
    void take(const std::string& key, float weight, Timestamp now);
    void give_back(const std::string& key, float weight);

private:
    double rate_ = -1;
    std::map<std::string, Throttle> by_key_;
};

}  // namespace stele::matching
