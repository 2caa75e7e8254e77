#pragma once

#include "base/ids.h"
#include "env/mutex.h"

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <map>
#include <utility>

// How far the feeds of the index table (keys.h, IndexKey) go. Shards tell, the indexer asks; the rows
// themselves it reads from the store, so nothing piles up here however far behind it is.
namespace stele::store {

/// Thread safe.
class IndexFeeds {
public:
    struct End {
        std::int64_t sequence = 0;
        Position position;  // of the batch that has the row
    };
    using Ends = std::map<Slot, End>;

    /// The rows of a feed now end with `sequence`.
    void advanced(Slot feed, std::int64_t sequence, Position position) {
        bool news = false;
        {
            env::MutexLock lock(mutex_);
            ends_[feed] = {sequence, position};
            news = !std::exchange(news_, true);
        }
        if (news && wake_) wake_();
    }

    /// The ends of all feeds that this process has written.
    Ends ends() {
        env::MutexLock lock(mutex_);
        news_ = false;
        return ends_;
    }

    /// `wake` runs, in the thread of the shard, when something is new since `ends` was asked. Set it
    /// before the shards run; it must not block.
    void on_news(absl::AnyInvocable<void()> wake) { wake_ = std::move(wake); }

private:
    env::Mutex mutex_;
    Ends ends_ STELE_GUARDED_BY(mutex_);
    bool news_ STELE_GUARDED_BY(mutex_) = false;
    absl::AnyInvocable<void()> wake_;
};

}  // namespace stele::store
