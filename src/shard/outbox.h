#pragma once

#include "shard/outbox_rows.h"

#include <map>
#include <set>

// Effects of one run on others: signals, cancel requests, all that passes between a parent and its
// children, and callbacks to whoever waits outside. Each is a durable row, delivered once the
// transition that made it is durable, again and again until the target has answered, and erased in
// the batch that writes the outcome into the history of the source. The target knows a repeated
// delivery by a request id or a run id.
//
// A row may be replaced by a later one under the same id (a child that was to be started is to be
// ended instead). What is under way is answered first, so the target gets them in order.
namespace stele::shard {

/// Not thread safe: belongs to its shard's executor.
class Outbox {
public:
    explicit Outbox(Shard& shard) : shard_(shard) {}

    /// Takes up what was not acknowledged before the process ended.
    absl::Status recover();
    void begin();
    void added(RunAddress source, const std::vector<storage::OutboxRow>& rows, Position position);
    void stop() { stopped_ = true; }
    /// Whether a run has effects on others that are not acknowledged yet.
    /// Callbacks do not count: their receivers may never answer.
    bool owes(RunAddress source);
    /// The run is being deleted: erases what it would still send.
    void give_up(RunAddress source, store::WriteBatch& batch);

    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Entry {
        RunAddress source;
        storage::OutboxRow row;
        std::uint64_t version = 0;  // of the row; unique in this process
        bool durable = false;
        bool under_way = false;  // some version of it has been sent and not answered
        int failures = 0;
    };
    using Id = store::OutboxKey;
    struct Before {
        bool operator()(const Id& a, const Id& b) const {
            return std::pair(a.slot, a.sequence) < std::pair(b.slot, b.sequence);
        }
    };

    using Waiting = std::map<Id, Entry, Before>;

    std::pair<Waiting::iterator, Waiting::iterator> rows_of(RunAddress source);
    void put(Id id, RunAddress source, storage::OutboxRow row, bool durable);
    void became_durable(Id id, std::uint64_t version);
    void deliver(Id id);
    void answered(Id id, std::uint64_t version, const Answer& answer);
    void conclude(Id id, Entry& entry, const Answer& answer);
    void retry(Id id, Entry& entry);
    void drop(Id id);
    /// The run that sent the row, or null when it is gone.
    LoadedRun* source_of(const Entry& entry);

    Shard& shard_;
    Waiting waiting_;
    std::uint64_t versions_ = 0;
    bool stopped_ = false;
};

}  // namespace stele::shard
