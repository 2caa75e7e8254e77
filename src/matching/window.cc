#include "matching/window.h"

#include "base/probe.h"

#include <algorithm>
#include <cmath>

namespace stele::matching {
namespace {

/// The distance between two tasks of a key with the weight 1. Large, so that weights can be told
/// apart in whole numbers.
constexpr float kStride = 1'000'000;
/// Lanes without tasks that a level may remember before it looks which of them it can forget.
constexpr std::size_t kIdleLanes = 1000;

}  // namespace

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

void Window::share(bool fairly, std::map<std::string, float> weights) {
    fairly_ = fairly;
    weights_ = std::move(weights);
}

float Window::weight_of(const shard::TaskOffer& offer) const {
    constexpr float kLightest = 0.001F;
    constexpr float kHeaviest = 1000;
    const auto found = weights_.find(offer.fairness_key);
    const float own = offer.fairness_weight > 0 ? offer.fairness_weight : 1;
    return std::clamp(found == weights_.end() ? own : found->second, kLightest, kHeaviest);
}

Window::Turn Window::next_turn(Level& level, Lane& lane, const shard::TaskOffer& offer) {
    if (fairly_) {
        const auto step = static_cast<std::int64_t>(std::lround(kStride / weight_of(offer)));
        lane.last_stride = std::max(lane.last_stride, level.stride) + step;
    } else {
        lane.last_stride = level.stride;
    }
    return {lane.last_stride, ++arrivals_};
}

bool Window::insert(shard::TaskOffer offer) {
    if (!members_.insert(key_of(offer)).second) {
        STELE_PROBE("window.offered-again");
        return false;
    }
    Level& level = levels_[offer.priority];
    const auto lane = level.lanes.try_emplace(offer.fairness_key).first;
    const Turn turn = next_turn(level, lane->second, offer);
    if (lane->second.tasks.empty()) level.heads.emplace(turn, lane->first);
    lane->second.tasks.emplace_back(turn, std::move(offer));
    return true;
}

bool Window::push(shard::TaskOffer offer) {
    const bool early = !members_.empty() && STELE_FAULT("window.full-early");
    const bool full = members_.size() >= limit_ || early;
    if (!full && !partial_) return insert(std::move(offer));
    const bool overtakes = !levels_.empty() && offer.priority < levels_.rbegin()->first;
    if (!overtakes) {
        STELE_PROBE("window.full");
        partial_ = !STELE_BUG("window.overflow-forgotten");
        return false;
    }
    if (!insert(std::move(offer))) return false;
    STELE_PROBE("window.overtaken");
    if (full) drop_last();
    return true;
}

void Window::push_backlog(std::vector<shard::TaskOffer> offers, bool more) {
    partial_ = partial_ || more;
    for (shard::TaskOffer& offer : offers) {
        const bool early = !members_.empty() && STELE_FAULT("window.short-backlog");
        if (members_.size() < limit_ && !early) {
            insert(std::move(offer));
        } else if (!members_.contains(key_of(offer))) {
            partial_ = true;
        }
    }
}

bool Window::any(MayGo may_go) const {
    for (const auto& [priority, level] : levels_) {
        for (const auto& [turn, key] : level.heads) {
            if (may_go(level.lanes.at(key).tasks.front().second)) return true;
        }
    }
    return false;
}

std::optional<shard::TaskOffer> Window::pop() {
    return pop([](const shard::TaskOffer&) { return true; });
}

std::optional<shard::TaskOffer> Window::pop(MayGo may_go) {
    for (auto level = levels_.begin(); level != levels_.end(); ++level) {
        for (const auto& [turn, key] : level->second.heads) {
            const auto lane = level->second.lanes.find(key);
            if (may_go(lane->second.tasks.front().second)) return take_head(level, lane);
        }
    }
    return std::nullopt;
}

shard::TaskOffer Window::take_head(Levels::iterator level,
                                   std::map<std::string, Lane>::iterator lane) {
    Level& in = level->second;
    auto& tasks = lane->second.tasks;
    const Turn turn = tasks.front().first;
    shard::TaskOffer offer = std::move(tasks.front().second);
    tasks.pop_front();
    in.heads.erase({turn, lane->first});
    in.stride = std::max(in.stride, turn.first);
    members_.erase(key_of(offer));
    if (!tasks.empty()) {
        in.heads.emplace(tasks.front().first, lane->first);
    } else if (lane->second.last_stride <= in.stride) {
        STELE_PROBE("window.lane-forgotten");
        in.lanes.erase(lane);
    } else if (in.lanes.size() > in.heads.size() + kIdleLanes) {
        std::erase_if(in.lanes, [&](const auto& idle) {
            return idle.second.tasks.empty() && idle.second.last_stride <= in.stride;
        });
    }
    if (in.heads.empty()) levels_.erase(level);
    return offer;
}

/// Leaves a task of the lowest priority to the backlog, the last of the key whose turn comes last.
void Window::drop_last() {
    const auto level = std::prev(levels_.end());
    Level& in = level->second;
    const auto head = std::prev(in.heads.end());
    const auto lane = in.lanes.find(head->second);
    auto& tasks = lane->second.tasks;
    members_.erase(key_of(tasks.back().second));
    tasks.pop_back();
    partial_ = true;
    if (!tasks.empty()) return;
    in.heads.erase(head);
    in.lanes.erase(lane);
    if (in.heads.empty()) levels_.erase(level);
}

bool Window::take_refill() {
    if (!partial_) return false;
    if (members_.size() > limit_ / 2 && !STELE_FAULT("window.early-refill")) return false;
    partial_ = false;  // said again by whoever still has more
    return true;
}

std::map<std::int32_t, Timestamp> Window::oldest() const {
    std::map<std::int32_t, Timestamp> result;
    for (const auto& [priority, level] : levels_) {
        Timestamp oldest = kNever;
        for (const auto& [turn, key] : level.heads) {
            oldest = std::min(oldest, level.lanes.at(key).tasks.front().second.created);
        }
        result[priority] = oldest;
    }
    return result;
}

}  // namespace stele::matching
