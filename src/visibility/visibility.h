#pragma once

#include "base/call.h"
#include "env/env.h"
#include "store/committer.h"
#include "store/index_feeds.h"
#include "store/store.h"
#include "visibility/index.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

// Lists and counts of runs: an index beside the store, never the truth. Shards write into the store
// which runs look different now; one indexer reads these feeds in order, looks at the runs, and
// remembers in the same transaction how far it came. Whatever happens to the index, the store can
// make it anew; whatever happens to the server, the index goes on where it was.
namespace stele::visibility {

/// The search attributes of a namespace, or null when there is no such namespace. Thread safe.
using SchemaSource = std::function<std::shared_ptr<const history::SearchAttributeSchema>(
    const std::string& namespace_id)>;

struct VisibilityOptions {
    /// Of the index; without one it is in memory and made anew at every start.
    std::optional<std::string> path;
    /// What the store calls itself: an index of another store is not used.
    std::string store_id;
    /// How long changes may gather before they are indexed although nobody lists. Several changes of
    /// a run in this time cost as much as one.
    Duration delay = std::chrono::seconds(1);
    /// Told, in words for people, when the index of a store that has runs is made anew, during which lists
    /// wait, and when that is done. On the executor of the index.
    std::function<void(const std::string&)> notice = {};
};

/// Thread safe. Replies come on its own executor.
class Visibility {
public:
    virtual ~Visibility() = default;

    /// One page, of everything that was durable when the call came, so that callers find what they
    /// have done themselves.
    virtual void list(ListQuery query, Reply<ListPage> reply) = 0;
    virtual void count(CountQuery query, Reply<CountResult> reply) = 0;
};

/// Opens the index and brings it up to the store in the background. All arguments must outlive it,
/// and the feeds must not have been written yet.
absl::StatusOr<std::unique_ptr<Visibility>> make_visibility(env::Env& env, store::Store& store,
                                                            store::Committer& committer,
                                                            store::IndexFeeds& feeds,
                                                            SchemaSource schemas,
                                                            const VisibilityOptions& options);

/// Makes the index anew from the store. For a store that no server has open.
absl::Status rebuild(store::Store& store, const SchemaSource& schemas,
                     const VisibilityOptions& options);

}  // namespace stele::visibility
