#pragma once

#include "matching/matching.h"

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>

// The soft state of one task queue: who waits for a task, and which tasks wait for somebody.
namespace stele::matching {

using WorkflowReply = Reply<std::optional<shard::PolledWorkflowTask>>;
using ActivityReply = Reply<std::optional<shard::PolledActivityTask>>;

/// A poll from its arrival to its answer. It is in the list of its queue while it waits, and held
/// by the attempt to start a task otherwise.
struct WaitingPoll {
    std::uint64_t id = 0;
    Poll poll;
    CallScopePtr scope;
    std::variant<WorkflowReply, ActivityReply> reply;
    env::TimerId expiry = 0;
    bool open = false;  // taken in and not answered
};
using WaitingPollPtr = std::shared_ptr<WaitingPoll>;

/// A query that waits for a worker.
struct WaitingQuery {
    std::uint64_t id = 0;
    shard::QueryOffer offer;
    absl::AnyInvocable<void(absl::Status)> unmatched;
    env::TimerId deadline = 0;
};

/// The window of tasks on offer: first in, first out within a priority, lower numbers first. It is the
/// whole backlog of the queue, or the oldest part of it; while it is a part, new tasks belong behind
/// those that it lacks and are left to the backlog.
class Window {
public:
    explicit Window(std::size_t limit) : limit_(limit) {}

    /// False when the task is there already, or left to the backlog.
    bool push(shard::TaskOffer offer);
    /// Takes in what the backlog has offered, as far as there is room.
    void push_backlog(std::vector<shard::TaskOffer> offers, bool more);
    std::optional<shard::TaskOffer> pop();
    /// True once, when the window has run low and lacks a part of the backlog.
    bool take_refill();

    std::size_t size() const { return members_.size(); }
    bool empty() const { return members_.empty(); }
    Timestamp oldest() const;

private:
    using Key = std::tuple<Slot, std::int64_t, std::int64_t>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const;
    };
    static Key key_of(const shard::TaskOffer& offer);
    bool insert(shard::TaskOffer offer);

    std::size_t limit_;
    std::map<std::int32_t, std::deque<shard::TaskOffer>> tasks_;  // by priority
    std::unordered_set<Key, KeyHash> members_;
    bool partial_ = false;  // the backlog holds tasks that are not here
};

/// Spaces out dispatches: at most `rate` a second, with no burst beyond one second's worth.
class Throttle {
public:
    /// Negative: no limit. Zero stops the queue.
    void set_rate(double rate) { rate_ = rate; }
    double rate() const { return rate_; }
    bool limited() const { return rate_ >= 0; }
    /// When the next dispatch may leave; kNever for a stopped queue.
    Timestamp next(Timestamp now) const;
    void take(Timestamp now);

private:
    double rate_ = -1;
    Timestamp next_{};
};

struct TaskQueue {
    TaskQueue(shard::QueueId queue, std::size_t window) : id(std::move(queue)), tasks(window) {}

    shard::QueueId id;
    bool sticky = false;  // sticky tasks were offered to it
    Window tasks;
    std::list<WaitingPollPtr> polls;
    std::size_t open_polls = 0;  // those and the ones that a task is being started for
    std::list<WaitingQuery> queries;
    Throttle throttle;
    env::TimerId throttle_timer = 0;
    Timestamp last_poll = kUnset;  // when a poll last arrived or ended
    std::map<std::string, Timestamp> pollers;  // identity to last access

    /// Whether a worker waits here, or did so less than `window` ago.
    bool is_alive(Timestamp now, Duration window) const {
        return open_polls > 0 || (last_poll != kUnset && now - last_poll < window);
    }
};

}  // namespace stele::matching
