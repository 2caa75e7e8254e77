#include "matching/task_queue.h"

#include <algorithm>

namespace stele::matching {

std::size_t Window::KeyHash::operator()(const Key& key) const {
    const auto& [slot, run, sequence] = key;
    constexpr std::uint64_t kMix = 0x9E3779B97F4A7C15u;
    std::uint64_t hash = slot;
    hash = (hash ^ static_cast<std::uint64_t>(run)) * kMix;
    hash = (hash ^ (hash >> 32) ^ static_cast<std::uint64_t>(sequence)) * kMix;
    return static_cast<std::size_t>(hash ^ (hash >> 32));
}

Window::Key Window::key_of(const shard::TaskOffer& offer) {
    return {offer.slot, offer.run_key.value(), offer.sequence};
}

bool Window::insert(shard::TaskOffer offer) {
    if (!members_.insert(key_of(offer)).second) return false;
    tasks_[offer.priority].push_back(std::move(offer));
    return true;
}

bool Window::push(shard::TaskOffer offer) {
    if (members_.size() >= limit_) partial_ = true;
    return !partial_ && insert(std::move(offer));
}

void Window::push_backlog(std::vector<shard::TaskOffer> offers, bool more) {
    partial_ = partial_ || more;
    for (shard::TaskOffer& offer : offers) {
        if (members_.size() < limit_) {
            insert(std::move(offer));
        } else if (!members_.contains(key_of(offer))) {
            partial_ = true;
        }
    }
}

std::optional<shard::TaskOffer> Window::pop() {
    if (tasks_.empty()) return std::nullopt;
    auto& first = tasks_.begin()->second;
    shard::TaskOffer offer = std::move(first.front());
    first.pop_front();
    if (first.empty()) tasks_.erase(tasks_.begin());
    members_.erase(key_of(offer));
    return offer;
}

bool Window::take_refill() {
    if (!partial_ || members_.size() > limit_ / 2) return false;
    partial_ = false;  // said again by whoever still has more
    return true;
}

Timestamp Window::oldest() const {
    Timestamp oldest = kNever;
    for (const auto& [priority, tasks] : tasks_) {
        oldest = std::min(oldest, tasks.front().created);
    }
    return oldest;
}

Timestamp Throttle::next(Timestamp now) const {
    if (rate_ < 0) return now;
    if (rate_ == 0) return kNever;
    return std::max(now, next_);
}

void Throttle::take(Timestamp now) {
    if (rate_ <= 0) return;
    const auto gap = Duration(static_cast<std::int64_t>(1e9 / rate_));
    // What was not used for up to a second may be used at once.
    next_ = std::max(next_, now - std::chrono::seconds(1)) + gap;
}

}  // namespace stele::matching
