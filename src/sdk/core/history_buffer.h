#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sdk/core/activation.h"
#include "sdk/core/queue.h"

namespace stele::core {

/// Cuts a history that arrives in pages into the chunks in which it was lived.
///
/// A chunk is everything after one workflow task's started event through the next one's, where a
/// start that was followed by a failure or a timeout does not count: exactly one chunk for each
/// time that the workflow code ran and its completion was accepted, and one for the task at hand.
/// Heartbeats are chunks like any other, so a replay sees the same clock as the original did.
///
/// Belongs to one run; not thread safe.
class HistoryBuffer {
public:
    struct Chunk {
        std::vector<HistoryEvent> events;
        /// The workflow task's started event, or 0 for what follows the last one.
        std::int64_t started_event_id = 0;
        /// The markers and the accepted updates that this chunk's own task recorded, found by looking
        /// ahead: they were known when the code ran. Empty for the last chunk.
        std::vector<HistoryEvent> ahead;
        /// The completion of this chunk's task; null for the last chunk.
        std::optional<HistoryEvent> completed;
        bool last = false;
    };

    /// Forgets unread events and starts anew behind `last_read_event_id`.
    void reset(std::int64_t last_read_event_id);

    /// Adds events that follow the ones added before; those that were read before are skipped.
    /// Throws WorkflowTaskFailure when there is a gap.
    template <class Events>
    void add(Events&& events) {
        for (auto& event : events) add_event(std::move(event));
    }
    /// No more pages.
    void finish() { complete_ = true; }
    bool complete() const { return complete_; }

    /// The next chunk that ends at or before the event `limit`, once enough is known to be sure of
    /// it; nothing when pages are missing or everything has been read.
    std::optional<Chunk> next(std::int64_t limit);
    /// What lies behind the last started event, for replayers.
    std::optional<Chunk> rest();

    std::int64_t last_read_event_id() const { return last_read_; }
    std::int64_t last_event_id() const {
        return events_.empty() ? last_read_ : events_.back().event_id();
    }

private:
    void add_event(HistoryEvent event);
    std::optional<std::size_t> find_end() const;
    std::optional<std::size_t> find_look_ahead_end(std::size_t begin) const;
    Chunk cut(std::size_t end);

    Queue<HistoryEvent> events_;
    std::int64_t last_read_ = 0;
    bool complete_ = false;
};

/// True for the events that a command of a workflow task leaves behind.
bool is_command_event(const HistoryEvent& event);
/// "event 12 (TimerStarted)"
std::string describe(const HistoryEvent& event);

}  // namespace stele::core
