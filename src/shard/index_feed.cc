#include "shard/index_feed.h"

#include "base/probe.h"

#include <utility>

namespace stele::shard {
namespace {

bool same_time(const google::protobuf::Timestamp& a, const google::protobuf::Timestamp& b) {
    return a.seconds() == b.seconds() && a.nanos() == b.nanos();
}

}  // namespace

bool shows_in_lists(const Change& change) {
    const history::Draft& draft = change.transition->draft;
    if (change.is_new || change.transition->closed || draft.attributes) return true;
    const storage::HeaderRow& before = draft.base->header;
    return draft.header.status() != before.status() ||
           !same_time(draft.header.execution_time(), before.execution_time());
}

absl::Status IndexFeed::recover() {
    const Slot feed = shard_.slots().begin;
    const store::KeyRange range =
        store::table_range(store::Table::kIndex, {feed, static_cast<Slot>(feed + 1)});
    const auto cursor = shard_.around().store.scan_reverse(range.begin, range.end);
    if (!cursor->valid()) return cursor->status();
    STELE_ASSIGN_OR_RETURN(const store::IndexKey key, store::decode_index_key(cursor->key()));
    last_ = key.sequence - (STELE_BUG("index.feed-number-reused") ? 1 : 0);
    return absl::OkStatus();
}

void IndexFeed::add(store::WriteBatch& batch, RunAddress run) {
    storage::IndexRow row;
    row.set_slot(run.slot);
    row.set_run_key(run.key.value());
    batch.put(store::encode(store::IndexKey{shard_.slots().begin, ++last_}),
              store::wrap_message(store::Table::kIndex, row));
    news_ = true;
}

void IndexFeed::submitted(Position position) {
    if (!std::exchange(news_, false)) return;
    if (store::IndexFeeds* feeds = shard_.around().options.index_feeds) {
        feeds->advanced(shard_.slots().begin, last_, position);
    }
}

}  // namespace stele::shard
