#pragma once

#include "shard/shard.h"

// The shard's feed for lists: for every run of which lists show something else now, one small row in
// the batch that changes the run. It says which run, not what: whoever keeps the index reads the
// run's rows, so several changes of a run cost it one look, and looking twice does no harm.
namespace stele::shard {

/// Whether a change shows in lists: a run begins, closes, or gets other attributes, another status
/// or another time of its first task.
bool shows_in_lists(const Change& change);

/// Not thread safe: belongs to its shard's executor.
class IndexFeed {
public:
    explicit IndexFeed(Shard& shard) : shard_(shard) {}

    /// Finds where the numbering goes on. Whoever takes rows out of the table leaves the last one.
    absl::Status recover();
    /// Adds the row of a run. The batch must be submitted next.
    void add(store::WriteBatch& batch, RunAddress run);
    /// A batch was submitted; if rows were added to it, they are announced.
    void submitted(Position position);

private:
    Shard& shard_;
    std::int64_t last_ = 0;
    bool news_ = false;
};

}  // namespace stele::shard
