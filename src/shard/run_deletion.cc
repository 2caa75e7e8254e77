#include "shard/run_deletion.h"

#include "base/probe.h"
#include "shard/alarms.h"
#include "shard/index_feed.h"
#include "shard/outbox.h"

#include <utility>
#include <vector>

namespace stele::shard {
namespace {

/// How long a run waits that owes an effect to another one.
constexpr Duration kPatience = std::chrono::seconds(1);
/// How long one waits whose close, or the request for its deletion, is still to be synced.
constexpr Duration kSyncPatience = std::chrono::milliseconds(20);
/// Rows that are erased one by one. A range costs the database something at every read until it is
/// compacted away, so it is worth its price for large runs only.
constexpr std::size_t kSingleRows = 256;

/// When the run may go by what holds now: its namespace may keep runs longer than it did then.
Timestamp due_time(Shard& shard, const LoadedRun& run) {
    const storage::HeaderRow& header = run.run->header;
    if (header.delete_requested()) return kUnset;
    const NamespacePtr space = shard.around().namespaces.by_id(run.run->info.namespace_id());
    if (space == nullptr) return kUnset;
    return add_saturating(from_proto(header.close_time()),
                          STELE_BUG("deletion.too-early") ? Duration::zero() : space->retention);
}

/// Erases the rows that the store shows in a range. `complete`: it shows all that there are.
void erase_rows(Shard& shard, store::WriteBatch& batch, store::KeyRange range, bool complete) {
    std::vector<std::string> keys;
    const auto cursor = shard.around().store.scan(range.begin, range.end);
    for (; complete && cursor->valid() && keys.size() <= kSingleRows; cursor->next()) {
        keys.emplace_back(cursor->key());
    }
    if (!complete || !cursor->status().ok() || keys.size() > kSingleRows) {
        STELE_PROBE("deletion.by-range");
        batch.erase_range(std::move(range.begin), std::move(range.end));
        return;
    }
    for (std::string& key : keys) batch.erase(std::move(key));
}

void delete_now(Shard& shard, LoadedRun& run) {
    const RunAddress address = run.address;
    const RunRef ref = run.run->ref();
    const bool complete =
        run.last <= shard.around().committer.readable() && !STELE_FAULT("deletion.as-ranges");
    store::WriteBatch batch;
    erase_rows(shard, batch, store::state_range(address.slot, address.key), complete);
    erase_rows(shard, batch, store::events_range(address.slot, address.key), complete);
    batch.erase(store::encode(store::RunRowKey{address.slot, ref}));
    shard.outbox().give_up(address, batch);
    if (shard.is_current(run)) {
        batch.erase(
            store::encode(store::CurrentKey{address.slot, ref.namespace_id, ref.workflow_id}));
    }
    AlarmChange alarm;
    if (run.run->header.has_alarm()) alarm.erased = from_proto(run.run->header.alarm());
    write_alarm(batch, address, alarm);
    shard.index_feed().add(batch, address);
    // Lazy: if it is lost, the alarm is still there and rings again.
    shard.submit(std::move(batch), store::Urgency::kLazy, &run);
    shard.alarms().moved(address, alarm);
    shard.forget(run);
}

}  // namespace

Timestamp deletion_time(Shard& shard, const history::Draft& closing) {
    const NamespacePtr space = shard.around().namespaces.by_id(closing.run_info().namespace_id());
    if (space == nullptr) return shard.now();
    const double part = shard.context_for(space).context.uniform();
    const auto jitter = std::chrono::duration_cast<Duration>(space->limits.retention_jitter * part);
    if (STELE_BUG("deletion.too-early"))
        return from_proto(closing.header.close_time()) + std::chrono::seconds(2);
    return add_saturating(add_saturating(from_proto(closing.header.close_time()), space->retention),
                          jitter);
}

Position request_deletion(Shard& shard, LoadedRun& run) {
    STELE_CHECK(!run.run->is_open(), "the deletion of an open run was requested");
    storage::HeaderRow& header = run.run->header;
    if (header.delete_requested()) {
        STELE_PROBE("deletion.asked-again");
        return run.last_synced;
    }
    header.set_delete_requested(!STELE_BUG("deletion.forgotten"));
    const AlarmChange alarm = move_alarm(header, shard.now(), /*closed=*/true, shard.now());
    store::WriteBatch batch;
    write_header(batch, run.address, header);
    write_alarm(batch, run.address, alarm);
    const Position position = shard.submit(std::move(batch), store::Urgency::kSynced, &run);
    shard.alarms().moved(run.address, alarm);
    return position;
}

void delete_if_due(Shard& shard, LoadedRun& run) {
    const Timestamp due = due_time(shard, run);
    if (due > shard.now()) return shard.reset_alarm(run, due);
    if (shard.outbox().owes(run.address)) {
        STELE_PROBE("deletion.waits-for-outbox");
        return shard.reset_alarm(run, add_saturating(shard.now(), kPatience));
    }
    // Once it is gone, callers are told that there is no such run. They may hear so only of what no crash
    // undoes: its close, and the request for its deletion.
    if (run.last_synced > shard.around().committer.durable() &&
        !STELE_BUG("deletion.before-durable")) {
        STELE_PROBE("deletion.waits-until-durable");
        return shard.reset_alarm(run, add_saturating(shard.now(), kSyncPatience));
    }
    delete_now(shard, run);
}

}  // namespace stele::shard
