#include "matching/throttle.h"

#include <algorithm>

namespace stele::matching {
namespace {

constexpr Duration kBurst = std::chrono::seconds(1);
constexpr Duration kLongestGap = std::chrono::hours(24);
/// Keys that are remembered before those that could go at once are forgotten.
constexpr std::size_t kRememberedKeys = 1000;

}  // namespace

Duration Throttle::gap(float weight) const {
    constexpr double kSecond = 1e9;
    const double nanoseconds = kSecond / (rate_ * static_cast<double>(weight));
    if (!(nanoseconds < static_cast<double>(kLongestGap.count()))) return kLongestGap;
    return Duration(static_cast<std::int64_t>(nanoseconds));
}

void Throttle::set_rate(double rate, Timestamp now) {
    if (rate == rate_) return;
    rate_ = rate;
    if (rate > 0) next_ = std::min(next_, now + gap(1));
}

Timestamp Throttle::next(Timestamp now) const {
    if (rate_ < 0) return now;
    if (rate_ == 0) return kNever;
    return std::max(now, next_);
}

void Throttle::take(Timestamp now, float weight) {
    if (rate_ <= 0) return;
    // What was not used for up to a second may be used at once.
    next_ = std::max(next_, now - kBurst) + gap(weight);
}

void Throttle::give_back(float weight) {
    if (rate_ > 0) next_ -= gap(weight);
}

void KeyThrottles::set_rate(double rate, Timestamp now) {
    rate_ = rate;
    if (!limited()) by_key_.clear();
    for (auto& [key, throttle] : by_key_) throttle.set_rate(rate, now);
}

Timestamp KeyThrottles::next(const std::string& key, Timestamp now) const {
    if (!limited()) return now;
    if (rate_ == 0) return kNever;
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? now : found->second.next(now);
}

void KeyThrottles::take(const std::string& key, float weight, Timestamp now) {
    if (!limited()) return;
    if (by_key_.size() >= kRememberedKeys && !by_key_.contains(key)) {
        std::erase_if(by_key_, [&](const auto& entry) { return entry.second.next(now) <= now; });
    }
    Throttle& throttle = by_key_[key];
    throttle.set_rate(rate_, now);
    throttle.take(now, weight);
}

void KeyThrottles::give_back(const std::string& key, float weight) {
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) found->second.give_back(weight);
}

}  // namespace stele::matching
