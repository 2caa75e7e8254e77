#pragma once

#include "shard/shard.h"

#include <map>
#include <set>

// Effects of one run on others: signals and cancel requests. Each is a durable row, delivered once
// the transition that made it is durable, again and again until the target has answered, and erased
// in the batch that writes the outcome into the history of the source. The target knows a repeated
// delivery by its request id.
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
    bool owes(RunAddress source) const;

    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Entry {
        RunAddress source;
        storage::OutboxRow row;
        int failures = 0;
    };
    using Id = store::OutboxKey;
    struct Before {
        bool operator()(const Id& a, const Id& b) const {
            return std::pair(a.slot, a.sequence) < std::pair(b.slot, b.sequence);
        }
    };

    void deliver(Id id);
    void answered(Id id, absl::Status status);
    void finish(Id id, Entry& entry, LoadedRun& source, const absl::Status& status);
    void retry(Id id, Entry& entry);
    void drop(Id id);
    const storage::ExternalRow* pending(const LoadedRun& source,
                                        const storage::OutboxRow& row) const;

    Shard& shard_;
    std::map<Id, Entry, Before> waiting_;
    bool stopped_ = false;
};

}  // namespace stele::shard
