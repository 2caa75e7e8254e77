#include "shard/alarms.h"

#include "base/probe.h"
#include "shard/run_deletion.h"
#include "shard/shard.h"

#include <algorithm>
#include <limits>

namespace stele::shard {
namespace {

constexpr Duration kWindow = std::chrono::minutes(10);
/// The window is moved on this long before its end is reached.
constexpr Duration kMargin = std::chrono::minutes(2);
/// Runs woken before others get their turn on the executor.
constexpr int kRunsPerTurn = 64;
/// A run whose deadline has passed but that did nothing about it is not asked again at once.
constexpr Duration kPatience = std::chrono::seconds(1);

}  // namespace

absl::Status Alarms::recover() {
    const Duration window = STELE_FAULT("alarm.short-horizon") ? kMargin : kWindow;
    const Timestamp end = add_saturating(shard_.now(), window);
    if (!STELE_BUG("alarm.not-recovered")) STELE_RETURN_IF_ERROR(read(Timestamp::min(), end));
    horizon_ = end;
    return absl::OkStatus();
}

absl::Status Alarms::read(Timestamp from, Timestamp to) {
    const store::SlotRange slots = shard_.slots();
    const std::string end = store::table_range(store::Table::kAlarm, slots).end;
    // One scan goes through all slots; a slot with alarms of a later time is left by a new one.
    int slot = slots.begin;
    while (slot < slots.end) {
        const auto cursor = shard_.around().store.scan(
            store::encode(store::AlarmKey{static_cast<Slot>(slot), from,
                                          RunKey(std::numeric_limits<std::int64_t>::min())}),
            end);
        slot = slots.end;
        for (; cursor->valid(); cursor->next()) {
            STELE_ASSIGN_OR_RETURN(const store::AlarmKey key,
                                   store::decode_alarm_key(cursor->key()));
            if (key.time >= to) {
                slot = key.slot + 1;
                break;
            }
            if (key.time >= from) waiting_.insert({key.time, {key.slot, key.run}});
        }
        STELE_RETURN_IF_ERROR(cursor->status());
    }
    return absl::OkStatus();
}

void Alarms::extend() {
    if (extending_) return;
    extending_ = true;
    // From now on commits put their alarms into the wider window themselves; those that were
    // submitted before are all in the store once it can be read up to here.
    const Timestamp from = horizon_;
    const Duration window = STELE_FAULT("alarm.short-window") ? kMargin / 2 : kWindow;
    horizon_ = add_saturating(std::max(shard_.now(), horizon_), window);
    STELE_PROBE("alarm.window-extended");
    shard_.when_readable([this, from] {
        extending_ = false;
        if (stopped_) return;
        const absl::Status status = read(from, horizon_);
        STELE_CHECK(status.ok(), "alarm rows could not be read: " + message_of(status));
        arm();
    });
}

void Alarms::moved(RunAddress run, const AlarmChange& change) {
    if (change.erased != kNever) waiting_.erase({change.erased, run});
    const bool near = change.set != kNever && change.set < horizon_;
    STELE_PROBE_IF("alarm.beyond-window", change.set != kNever && !near);
    if (near && !STELE_BUG("alarm.forgotten")) waiting_.insert({change.set, run});
    arm();
}

void Alarms::stop() {
    stopped_ = true;
    if (timer_ != 0) shard_.executor().cancel(timer_);
    timer_ = 0;
}

void Alarms::arm() {
    if (stopped_) return;
    Timestamp next = horizon_ - kMargin;
    if (!waiting_.empty()) next = std::min(next, waiting_.begin()->time);
    if (STELE_FAULT("alarm.rings-early")) next = shard_.now();
    if (STELE_FAULT("alarm.rings-late")) next = next + std::chrono::milliseconds(200);
    if (timer_ != 0) {
        if (timer_time_ <= next) return;  // it rings early, finds nothing, and is set anew
        shard_.executor().cancel(timer_);
    }
    timer_time_ = next;
    timer_ = shard_.executor().run_at(next, [this] { ring(); });
}

void Alarms::ring() {
    timer_ = 0;
    if (stopped_) return;
    const Timestamp now = shard_.now();
    const int runs = STELE_FAULT("alarm.one-run-a-turn") ? 1 : kRunsPerTurn;
    STELE_PROBE_IF("alarm.rang-for-nothing", waiting_.empty() || waiting_.begin()->time > now);
    for (int i = 0; i < runs && !waiting_.empty(); ++i) {
        const Entry entry = *waiting_.begin();
        if (entry.time > now) break;
        waiting_.erase(waiting_.begin());
        wake(entry);
        if (STELE_FAULT("alarm.wakes-twice")) wake(entry);
    }
    if (now >= horizon_ - kMargin) extend();
    arm();
}

void Alarms::wake(const Entry& entry) {
    const absl::StatusOr<LoadedRun*> loaded = shard_.load(entry.run);
    STELE_CHECK(loaded.ok(),
                "a run could not be read for its alarm: " + message_of(loaded.status()));
    LoadedRun* run = *loaded;
    // The row may have moved since it was read from a store that lagged behind.
    if (run == nullptr || !run->run->header.has_alarm() ||
        from_proto(run->run->header.alarm()) != entry.time) {
        STELE_PROBE("alarm.stale");
        return;
    }
    if (!run->run->is_open()) return delete_if_due(shard_, *run);
    const CommandContext context = shard_.context_of(*run);
    auto applied = history::fire_due(*run->run, context.context);
    if (applied.ok() && !applied->transition.empty) {
        shard_.commit(*run, applied->transition);
        return;
    }
    const history::Draft draft(*run->run);
    Timestamp next = history::earliest_deadline(draft);
    if (next <= context.context.now) next = context.context.now + kPatience;
    STELE_PROBE("alarm.moved-on");
    shard_.reset_alarm(*run, next);
}

}  // namespace stele::shard
