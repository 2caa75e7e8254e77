#pragma once

#include "shard/dispatch.h"
#include "shard/queue_map.h"
#include "shard/run_cache.h"

#include <map>
#include <vector>

// The durable backlog of the task queues: the dispatch rows of this shard. A task is offered to
// matching as soon as its transition is made. Matching holds a window of a queue and forgets the
// rest; when there is room again it asks, and the oldest rows are offered once more.
namespace stele::shard {

class Shard;

/// Not thread safe: belongs to its shard's executor.
class Backlog {
public:
    explicit Backlog(Shard& shard) : shard_(shard) {}

    /// Counts all rows.
    absl::Status recover();
    /// Offers the oldest tasks of every queue.
    void begin();
    void added(const LoadedRun& run, const std::vector<history::DispatchTask>& tasks, bool offer);
    /// Tasks that have no rows: matching may forget them, and nobody offers them again.
    void offer_unwritten(const LoadedRun& run, const std::vector<history::DispatchTask>& tasks);
    void removed(const LoadedRun& run, const std::vector<history::DispatchRef>& done);
    /// Offers the oldest tasks of a queue again, and says whether there are more.
    void refill(const QueueId& queue);

    /// Tasks of this shard that wait in a queue, altogether and by priority.
    std::int64_t size(const QueueId& queue) const;
    QueueBacklog by_priority(const QueueId& queue) const;

private:
    struct Counts {
        std::map<Slot, std::int64_t> rows;  // so that a refill looks only where rows are
        QueueBacklog by_priority;
    };

    void count(const QueueId& queue, Slot slot, std::int32_t priority, std::int64_t change);
    void offer_oldest(const QueueId& queue, const Counts& counts);
    absl::Status read_some(Slot slot, const QueueId& queue, std::size_t limit,
                           std::int64_t& next_sequence, std::vector<TaskOffer>& offers);

    Shard& shard_;
    QueueMap<Counts> queues_;
};

}  // namespace stele::shard
