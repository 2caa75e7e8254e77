#pragma once

#include "store/index_feeds.h"
#include "store/store.h"
#include "visibility/index.h"
#include "visibility/visibility.h"

#include <set>

// Brings an index up to a store: by the feeds, or by all runs where the feeds do not reach back far
// enough.
namespace stele::visibility {

/// Not thread safe. A failure leaves the index where it was, to be tried again.
class Follower {
public:
    Follower(store::Store& store, Index& index, const SchemaSource& schemas)
        : store_(store), index_(index), schemas_(schemas) {}

    /// Whether the feeds in the store begin where the index has stopped.
    absl::StatusOr<bool> can_follow();
    /// Whether there is any run to be indexed.
    absl::StatusOr<bool> has_runs();
    /// Indexes every run anew.
    absl::Status rebuild();
    /// Applies the rows of the feeds up to their ends. Returns how many there were.
    absl::StatusOr<std::size_t> follow(const store::IndexFeeds::Ends& ends);
    /// The ends of all feeds in the store.
    absl::StatusOr<store::IndexFeeds::Ends> stored_ends();

private:
    struct Feed {
        std::int64_t first = 0;
        std::int64_t last = 0;
    };
    absl::StatusOr<std::map<Slot, Feed>> stored_feeds();
    /// Goes on behind `reached`, up to the sequence `end` and so many rows, whose number it gives.
    absl::StatusOr<std::size_t> read_feed(Slot slot, std::int64_t end, std::size_t most,
                                          std::set<RunPlace>& runs, std::int64_t& reached);
    absl::Status apply(const std::set<RunPlace>& runs, const Progress& progress);
    absl::Status index_run(RunPlace place);
    absl::Status index_all();

    store::Store& store_;
    Index& index_;
    const SchemaSource& schemas_;
};

}  // namespace stele::visibility
