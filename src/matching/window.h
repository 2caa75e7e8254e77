#pragma once

#include "shard/dispatch.h"

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

// The tasks of one queue that are on offer, in the order in which they are to go out: by priority,
// then in turns between fairness keys, then by arrival.
//
// Turns are strides: each task of a key is placed 1/weight behind the one before it, and nothing is
// placed before what has gone out already. So a key with a thousand waiting tasks delays a key with
// one by one task, and keys get shares in proportion to their weights.
namespace stele::matching {

/// The window is the whole backlog of the queue, or the part of it that goes first; while it is a
/// part, tasks of no better priority than those in it belong behind the ones that it lacks and are
/// left to the backlog. Not thread safe.
class Window {
public:
    explicit Window(std::size_t limit) : limit_(limit) {}

    /// How keys share the queue: whether they do at all, and the weights that operators have set.
    void share(bool fairly, std::map<std::string, float> weights);

    /// False when the task is there already, or left to the backlog.
    bool push(shard::TaskOffer offer);
    /// Takes in what the backlog has offered, as far as there is room.
    void push_backlog(std::vector<shard::TaskOffer> offers, bool more);
    /// The first task that may go. Of a fairness key only its first task is asked about.
    using MayGo = absl::FunctionRef<bool(const shard::TaskOffer&)>;
    std::optional<shard::TaskOffer> pop(MayGo may_go);
    std::optional<shard::TaskOffer> pop();
    /// Whether pop would give a task.
    bool any(MayGo may_go) const;
    /// True once, when the window has run low and lacks a part of the backlog.
    bool take_refill();

    std::size_t size() const { return members_.size(); }
    bool empty() const { return members_.empty(); }
    /// The weight that a task's key has now.
    float weight_of(const shard::TaskOffer& offer) const;
    /// When the longest waiting task of each priority was created.
    std::map<std::int32_t, Timestamp> oldest() const;

private:
    using Turn = std::pair<std::int64_t, std::int64_t>;  // stride, then arrival
    struct Lane {
        std::deque<std::pair<Turn, shard::TaskOffer>> tasks;
        std::int64_t last_stride = 0;
    };
    struct Level {
        std::map<std::string, Lane> lanes;             // by fairness key
        std::set<std::pair<Turn, std::string>> heads;  // of the lanes that have tasks
        std::int64_t stride = 0;                       // of the last task that went out
    };
    using Levels = std::map<std::int32_t, Level>;  // by priority
    using Key = std::tuple<Slot, std::int64_t, std::int64_t>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };

    static Key key_of(const shard::TaskOffer& offer);
    bool insert(shard::TaskOffer offer);
    Turn next_turn(Level& level, Lane& lane, const shard::TaskOffer& offer);
    shard::TaskOffer take_head(Levels::iterator level, std::map<std::string, Lane>::iterator lane);
    void drop_last();

    std::size_t limit_;
    bool fairly_ = false;
    std::map<std::string, float> weights_;
    Levels levels_;
    std::unordered_set<Key, KeyHash> members_;
    std::int64_t arrivals_ = 0;
    bool partial_ = false;  // the backlog holds tasks that are not here
};

}  // namespace stele::matching
