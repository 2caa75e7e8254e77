#include "visibility/follower.h"

#include "base/probe.h"
#include "store/keys.h"

#include <limits>
#include <utility>

namespace stele::visibility {
namespace {

using store::StateKind;
using store::Table;

/// Rows of a feed that are applied in one transaction.
constexpr std::size_t kRowsAtOnce = 2'000;
/// Runs of a rebuild that are indexed in one transaction.
constexpr std::size_t kRunsAtOnce = 2'000;

/// The rows of a run that lists depend on.
struct RunRows {
    bool found = false;
    storage::HeaderRow header;
    storage::InfoRow info;
    storage::AttributesRow attributes;

    absl::Status take(StateKind kind, std::string_view value) {
        found = true;
        switch (kind) {
            case StateKind::kHeader: return store::unwrap_message(Table::kState, value, header);
            case StateKind::kInfo: return store::unwrap_message(Table::kState, value, info);
            case StateKind::kAttributes:
                return store::unwrap_message(Table::kState, value, attributes);
            default: return absl::OkStatus();
        }
    }
};

absl::Status put(Index& index, const SchemaSource& schemas, RunPlace place, const RunRows& rows) {
    const auto schema = schemas(rows.info.namespace_id());
    return index.put(place, rows.info, rows.header, rows.attributes, schema.get());
}

}  // namespace

absl::StatusOr<std::map<Slot, Follower::Feed>> Follower::stored_feeds() {
    std::map<Slot, Feed> feeds;
    const store::KeyRange table = store::table_range(Table::kIndex);
    std::string from = table.begin;
    for (;;) {
        const auto cursor = store_.scan(from, table.end);
        STELE_RETURN_IF_ERROR(cursor->status());
        if (!cursor->valid()) return feeds;
        STELE_ASSIGN_OR_RETURN(const store::IndexKey first, store::decode_index_key(cursor->key()));
        const store::KeyRange range = store::index_range(first.slot);
        const auto reverse = store_.scan_reverse(range.begin, range.end);
        STELE_RETURN_IF_ERROR(reverse->status());
        STELE_ASSIGN_OR_RETURN(const store::IndexKey last, store::decode_index_key(reverse->key()));
        feeds[first.slot] = {first.sequence, last.sequence};
        from = range.end;
    }
}

absl::StatusOr<store::IndexFeeds::Ends> Follower::stored_ends() {
    STELE_ASSIGN_OR_RETURN(const auto feeds, stored_feeds());
    store::IndexFeeds::Ends ends;
    for (const auto& [slot, feed] : feeds) ends[slot] = {feed.last, Position()};
    return ends;
}

absl::StatusOr<bool> Follower::can_follow() {
    if (!index_.is_complete()) return false;
    STELE_ASSIGN_OR_RETURN(const auto feeds, stored_feeds());
    Progress progress = index_.progress();
    for (const auto& [slot, feed] : feeds) {
        const std::int64_t reached = progress[slot];
        // Behind its last row a feed has no more than the store knows; before its first row there
        // may have been others.
        if (reached > feed.last || reached + 1 < feed.first) return false;
        progress.erase(slot);
    }
    for (const auto& [slot, reached] : progress) {
        if (reached > 0) return false;  // a feed never loses its last row
    }
    return true;
}

absl::StatusOr<std::size_t> Follower::read_feed(Slot slot, std::int64_t end, std::size_t most,
                                                std::set<RunPlace>& runs, std::int64_t& reached) {
    const store::KeyRange range = store::index_range(slot, reached);
    const auto cursor = store_.scan(range.begin, range.end);
    std::size_t count = 0;
    for (; cursor->valid() && count < most; cursor->next()) {
        STELE_ASSIGN_OR_RETURN(const store::IndexKey key, store::decode_index_key(cursor->key()));
        STELE_PROBE_IF("visibility.row-behind-the-end", key.sequence > end);
        if (key.sequence > end) break;
        storage::IndexRow row;
        STELE_RETURN_IF_ERROR(store::unwrap_message(Table::kIndex, cursor->value(), row));
        runs.insert({static_cast<Slot>(row.slot()), RunKey(row.run_key())});
        reached = key.sequence;
        ++count;
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    return count;
}

absl::StatusOr<std::size_t> Follower::follow(const store::IndexFeeds::Ends& ends) {
    std::size_t all = 0;
    // Of several feeds, one of each shard: many of them have few rows.
    Progress progress = index_.progress();
    std::set<RunPlace> runs;
    std::size_t gathered = 0;
    const auto apply_gathered = [&]() -> absl::Status {
        if (gathered == 0) return absl::OkStatus();
        STELE_RETURN_IF_ERROR(apply(runs, progress));
        STELE_PROBE_IF("visibility.several-rows", gathered > 1);
        all += std::exchange(gathered, 0);
        runs.clear();
        return absl::OkStatus();
    };
    for (const auto& [slot, end] : ends) {
        while (progress[slot] < end.sequence) {
            const std::size_t most =
                STELE_FAULT("visibility.one-row-at-once") ? gathered + 1 : kRowsAtOnce;
            STELE_ASSIGN_OR_RETURN(
                const std::size_t count,
                read_feed(slot, end.sequence, most - gathered, runs, progress[slot]));
            if (count == 0) break;
            gathered += count;
            if (gathered == most) STELE_RETURN_IF_ERROR(apply_gathered());
        }
    }
    STELE_RETURN_IF_ERROR(apply_gathered());
    return all;
}

absl::Status Follower::apply(const std::set<RunPlace>& runs, const Progress& progress) {
    STELE_RETURN_IF_ERROR(index_.begin());
    absl::Status status;
    for (const RunPlace place : runs) {
        status = index_run(place);
        if (!status.ok()) break;
    }
    if (status.ok()) status = index_.commit(progress, /*complete=*/true);
    if (!status.ok()) index_.roll_back();
    return status;
}

absl::Status Follower::index_run(RunPlace place) {
    // Reads by key, of rows that were written a moment ago: a scan costs several times as much. What
    // changes between the reads stands in the feed once more.
    RunRows rows;
    for (const StateKind kind : {StateKind::kHeader, StateKind::kInfo, StateKind::kAttributes}) {
        STELE_ASSIGN_OR_RETURN(
            const std::optional<std::string> value,
            store_.get(store::encode(store::StateKey{place.slot, place.key, kind})));
        if (value) {
            STELE_RETURN_IF_ERROR(rows.take(kind, *value));
        } else if (kind != StateKind::kAttributes) {
            STELE_PROBE("visibility.run-deleted");
            return index_.erase(place);  // deleted
        }
    }
    if (STELE_BUG("visibility.stale-status"))
        rows.header.set_status(temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_RUNNING);
    return put(index_, schemas_, place, rows);
}

absl::StatusOr<bool> Follower::has_runs() {
    const store::KeyRange range = store::table_range(Table::kState);
    const auto cursor = store_.scan(range.begin, range.end);
    STELE_RETURN_IF_ERROR(cursor->status());
    return cursor->valid();
}

absl::Status Follower::rebuild() {
    STELE_RETURN_IF_ERROR(index_.clear());
    // Taken first: what changes from now on is applied again, which does no harm.
    STELE_ASSIGN_OR_RETURN(const store::IndexFeeds::Ends ends, stored_ends());
    STELE_RETURN_IF_ERROR(index_.begin());
    absl::Status status = index_all();
    Progress progress;
    for (const auto& [slot, end] : ends) progress[slot] = end.sequence;
    if (status.ok()) status = index_.commit(progress, /*complete=*/true);
    if (!status.ok()) index_.roll_back();
    return status;
}

absl::Status Follower::index_all() {
    const store::KeyRange range = store::table_range(Table::kState);
    const auto cursor = store_.scan(range.begin, range.end);
    RunPlace place;
    RunRows rows;
    std::size_t count = 0;
    for (; cursor->valid(); cursor->next()) {
        STELE_ASSIGN_OR_RETURN(const store::StateKey key, store::decode_state_key(cursor->key()));
        const RunPlace here{key.slot, key.run};
        if (rows.found && here != place) {
            STELE_RETURN_IF_ERROR(put(index_, schemas_, place, rows));
            rows = {};
            const std::size_t most = STELE_FAULT("visibility.small-rebuild") ? 1 : kRunsAtOnce;
            if (++count % most == 0) {
                STELE_RETURN_IF_ERROR(index_.commit({}, /*complete=*/false));
                STELE_RETURN_IF_ERROR(index_.begin());
            }
        }
        place = here;
        STELE_RETURN_IF_ERROR(rows.take(key.kind, cursor->value()));
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    return rows.found ? put(index_, schemas_, place, rows) : absl::OkStatus();
}

}  // namespace stele::visibility
