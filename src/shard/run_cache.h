#pragma once

#include "base/ids.h"
#include "history/transition.h"

#include <absl/container/flat_hash_map.h>

#include <compare>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

// Runs in memory. A shard applies a transition to a run before the store has it, so until the store
// has caught up the memory is the only place where the run is right: a run may leave the cache only
// when the store can be read up to its last position.
namespace stele::shard {

/// Where a run's rows are.
struct RunAddress {
    Slot slot = 0;
    RunKey key;

    auto operator<=>(const RunAddress&) const = default;
    template <typename H>
    friend H AbslHashValue(H state, const RunAddress& address) {
        return H::combine(std::move(state), address.slot, address.key.value());
    }
};

/// The newest event batches of a run, as they were written. It holds at least those that the store
/// can not be read for yet, and usually those that a worker asks for next. Not thread safe.
class EventTail {
public:
    struct Batch {
        history::EventBatch events;
        Position position;
    };

    void append(history::EventBatch events, Position position);
    /// Drops the oldest batches down to `bytes`, but none that the store does not have yet.
    void trim(std::size_t bytes, Position readable);
    /// Drops what stands at or behind an event, for a start that is taken back.
    void truncate(EventId from);

    /// The first event held, or `otherwise` when there is none.
    EventId first_or(EventId otherwise) const {
        return batches_.empty() ? otherwise : batches_.front().events.first;
    }
    const std::deque<Batch>& batches() const { return batches_; }
    std::size_t bytes() const { return bytes_; }

private:
    std::deque<Batch> batches_;
    std::size_t bytes_ = 0;
};

/// A run and what its shard must know beside its rows.
struct LoadedRun {
    RunAddress address;
    std::unique_ptr<history::Run> run;
    EventTail tail;
    Position last;         // of the last batch that changed the run
    Position last_synced;  // of the last one that was not lazy
    bool deleted = false;  // its rows are being erased: kept until the store shows that
    /// The last event that somebody outside may have seen; a start behind it can be taken back.
    EventId revealed;
    /// Something was changed in memory that the last write does not have (Transition::in_memory).
    bool ahead_of_rows = false;

    bool among_closed = false;    // as the cache has it
    std::size_t bytes = 0;        // as counted by the cache
    std::size_t row_bytes = 0;    // of the rows, when they were last counted
    std::size_t until_count = 0;  // transitions until they are counted again
};

/// Least recently used first out, among the open runs and among the closed ones. Closed runs are seldom asked for
/// and come all the time, so they have only a sixteenth of the memory: what they leave is then used again while
/// it is in the processor's caches, and open runs stay. Not thread safe: belongs to one shard. Pointers stay
/// valid until the next `evict`.
class RunCache {
public:
    explicit RunCache(std::size_t capacity_bytes) : capacity_(capacity_bytes) {}

    /// The run, now the most recently used one; null when it is not in memory.
    LoadedRun* find(RunAddress address);
    LoadedRun* find(const RunRef& run);
    LoadedRun& insert(std::unique_ptr<LoadedRun> run);
    /// Counts a run anew after it changed, or closed.
    void changed(LoadedRun& run, Position readable);
    /// The rows of a run are being erased. It leaves as soon as the store shows that; until then it is
    /// found, marked, because the store would still show it alive.
    void mark_deleted(LoadedRun& run);
    /// Lets go of runs until the rest fits; of none that holds what the store does not have. Call only
    /// where no pointer to a run is held.
    void evict(Position readable);

    std::size_t bytes() const { return open_.bytes + closed_.bytes; }
    std::size_t size() const { return runs_.size(); }
    /// All runs in memory: the open ones, then the closed ones, each the most recently used first.
    template <typename Visit>
    void for_each(Visit visit) const {
        for (const Part* part : {&open_, &closed_}) {
            for (const auto& run : part->order) visit(static_cast<const LoadedRun&>(*run));
        }
    }

private:
    using Order = std::list<std::unique_ptr<LoadedRun>>;
    struct Part {
        Order order;  // most recently used first
        std::size_t bytes = 0;
    };

    Part& part_of(const LoadedRun& run) { return run.among_closed ? closed_ : open_; }
    LoadedRun* touch(Order::iterator place);
    /// Puts a run among those it belongs to by now.
    void sort_in(LoadedRun& run);
    Order::iterator remove(Order::iterator place);
    void evict_down_to(Part& part, std::size_t bytes, Position readable);

    std::size_t capacity_;
    Part open_;
    Part closed_;
    absl::flat_hash_map<RunAddress, Order::iterator> runs_;
    absl::flat_hash_map<std::string, Order::iterator> by_run_id_;
    std::vector<RunAddress> deleted_;
};

}  // namespace stele::shard
