#pragma once

#include "matching/matching.h"
#include "matching/poller_scaling.h"
#include "matching/rate_counter.h"
#include "matching/throttle.h"
#include "matching/window.h"

#include <cstdint>
#include <list>
#include <map>
#include <optional>
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
    Timestamp arrived{};
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

/// The dispatch limits of a queue and where they come from.
class QueueLimits {
public:
    /// What is set now; a worker's wish counts unless operators have set something else.
    void apply(const QueueSettings& settings, const QueueConfig& config,
               std::optional<double> worker_rate, Timestamp now);

    /// When this task may leave; kNever if the queue is stopped.
    Timestamp next(const shard::TaskOffer& offer, Timestamp now) const;
    void take(const shard::TaskOffer& offer, float weight, Timestamp now);
    /// The task has turned out to be obsolete: it must not slow down the others.
    void give_back(const shard::TaskOffer& offer, float weight);

    double rate() const { return whole_.rate(); }
    temporal::api::enums::v1::RateLimitSource source() const { return source_; }

private:
    Throttle whole_;
    KeyThrottles per_key_;
    temporal::api::enums::v1::RateLimitSource source_{};
};

struct TaskQueue {
    TaskQueue(shard::QueueId queue, std::size_t window) : id(std::move(queue)), tasks(window) {}

    shard::QueueId id;
    bool sticky = false;  // sticky tasks were offered to it
    Window tasks;
    std::list<WaitingPollPtr> polls;
    std::size_t open_polls = 0;  // those and the ones that a task is being started for
    std::list<WaitingQuery> queries;
    Timestamp last_poll = kUnset;  // when a poll last arrived or ended
    Timestamp closed = kUnset;     // when its worker last said that it has gone
    std::map<std::string, PollerInfo> pollers;  // by identity

    QueueSettings settings;
    QueueConfig config;
    std::optional<std::uint64_t> settings_version;  // of what `settings` and the limits were made from
    std::optional<double> worker_rate;              // as the latest poll asked for
    QueueLimits limits;
    env::TimerId limit_timer = 0;

    struct Counters {
        RateCounter added;
        RateCounter dispatched;
    };
    std::map<std::int32_t, Counters> counters;  // by priority
    RateCounter held_back;                      // tasks that had to wait for the limits
    PollerScaling scaling;

    /// Whether a worker waits here, or did so less than `window` ago.
    bool is_alive(Timestamp now, Duration window) const {
        return open_polls > 0 || (last_poll != kUnset && now - last_poll < window);
    }
};

}  // namespace stele::matching
