#include "shard/backlog.h"

#include "base/probe.h"
#include "shard/shard.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace stele::shard {
namespace {

/// How many windows of a queue with tasks of several priorities are looked through for the first.
constexpr std::size_t kMixedWindows = 20;

/// By priority, then by age.
void sort_by_turn(std::vector<TaskOffer>& offers) {
    std::stable_sort(offers.begin(), offers.end(), [](const TaskOffer& a, const TaskOffer& b) {
        return std::tie(a.priority, a.created) < std::tie(b.priority, b.created);
    });
}

/// Adds to a count and forgets it once it is zero.
template <typename Key>
void add_to(std::map<Key, std::int64_t>& counts, Key key, std::int64_t change) {
    std::int64_t& count = counts[key];
    count += change;
    STELE_CHECK(count >= 0, "more tasks left a queue than were ever in it");
    if (count == 0) counts.erase(key);
}

}  // namespace

void Backlog::count(const QueueId& queue, Slot slot, std::int32_t priority, std::int64_t change) {
    const auto place = queues_.try_emplace(queue).first;
    Counts& counts = place->second;
    add_to(counts.rows, slot, change);
    add_to(counts.by_priority, priority, change);
    if (counts.rows.empty()) queues_.erase(place);
}

std::int64_t Backlog::size(const QueueId& queue) const {
    const auto found = queues_.find(queue);
    if (found == queues_.end()) return 0;
    std::int64_t sum = 0;
    for (const auto& [slot, rows] : found->second.rows) sum += rows;
    return sum;
}

QueueBacklog Backlog::by_priority(const QueueId& queue) const {
    const auto found = queues_.find(queue);
    return found == queues_.end() ? QueueBacklog() : found->second.by_priority;
}

void Backlog::added(const LoadedRun& run, const std::vector<history::DispatchTask>& tasks,
                    bool offer) {
    for (const history::DispatchTask& task : tasks) {
        QueueId queue{run.run->info.namespace_id(), task.task_queue, task.kind};
        count(queue, run.address.slot, history::queue_priority(task.row.priority()), 1);
        if (STELE_BUG("backlog.task-not-offered") && task.sequence % 8 == 0) continue;
        if (!offer || shard_.around().sink == nullptr) continue;
        if (STELE_FAULT("backlog.offered-twice")) {
            shard_.around().sink->offer(make_offer(
                queue, run.address, row_sequence(run.address.key, task.sequence), task.row));
        }
        if (STELE_FAULT("backlog.refilled-unasked")) refill(queue);
        shard_.around().sink->offer(make_offer(
            std::move(queue), run.address, row_sequence(run.address.key, task.sequence), task.row));
    }
}

void Backlog::offer_unwritten(const LoadedRun& run,
                              const std::vector<history::DispatchTask>& tasks) {
    if (shard_.around().sink == nullptr) return;
    for (const history::DispatchTask& task : tasks) {
        STELE_PROBE("backlog.unwritten-task");
        shard_.around().sink->offer(
            make_offer({run.run->info.namespace_id(), task.task_queue, task.kind}, run.address,
                       row_sequence(run.address.key, task.sequence), task.row));
    }
}

void Backlog::removed(const LoadedRun& run, const std::vector<history::DispatchRef>& done) {
    for (const history::DispatchRef& task : done) {
        count({run.run->info.namespace_id(), task.task_queue, task.kind}, run.address.slot,
              task.priority, -1);
    }
}

absl::Status Backlog::recover() {
    const store::KeyRange range = store::table_range(store::Table::kDispatch, shard_.slots());
    const auto cursor = shard_.around().store.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) {
        STELE_ASSIGN_OR_RETURN(const store::DispatchKey key,
                               store::decode_dispatch_key(cursor->key()));
        storage::DispatchRow row;
        STELE_RETURN_IF_ERROR(store::unwrap_message(store::Table::kDispatch, cursor->value(), row));
        count({key.namespace_id, key.task_queue, static_cast<QueueKind>(key.kind)}, key.slot,
              history::queue_priority(row.priority()), 1);
    }
    return cursor->status();
}

void Backlog::begin() {
    if (STELE_BUG("backlog.not-recovered")) return;
    for (const auto& [queue, rows] : queues_) offer_oldest(queue, rows);
}

void Backlog::refill(const QueueId& queue) {
    // Rows that are on their way to the store would be missed.
    shard_.when_readable([this, queue] {
        if (shard_.draining()) return;
        const auto found = queues_.find(queue);
        STELE_PROBE_IF("backlog.refill-found-nothing", found == queues_.end());
        if (found != queues_.end()) offer_oldest(queue, found->second);
    });
}

void Backlog::offer_oldest(const QueueId& queue, const Counts& counts) {
    const std::size_t window =
        STELE_FAULT("backlog.one-at-a-time") ? 1 : shard_.around().options.backlog_window;
    STELE_PROBE_IF("backlog.several-priorities", counts.by_priority.size() > 1);
    // Of several priorities the first are wanted, which may be younger than many others.
    const std::size_t wanted = counts.by_priority.size() > 1 ? kMixedWindows * window : window;
    std::map<Slot, std::int64_t> next;  // where each slot goes on
    for (const auto& [slot, number] : counts.rows) {
        next[slot] = std::numeric_limits<std::int64_t>::min();
    }
    // Runs are spread evenly over slots: the oldest few of each slot are about the oldest of all.
    // Further rounds serve queues whose tasks come from few runs.
    BacklogPart part;
    part.queue = queue;
    while (part.tasks.size() < wanted && !next.empty()) {
        const std::size_t share = 1 + (wanted - part.tasks.size()) / next.size();
        for (auto slot = next.begin(); slot != next.end();) {
            const std::size_t before = part.tasks.size();
            const absl::Status status =
                read_some(slot->first, queue, share, slot->second, part.tasks);
            STELE_CHECK(status.ok(), "dispatch rows could not be read: " + message_of(status));
            slot = part.tasks.size() - before < share ? next.erase(slot) : std::next(slot);
        }
    }
    sort_by_turn(part.tasks);
    part.more = !next.empty() || part.tasks.size() > window;
    STELE_PROBE_IF("backlog.more-than-the-window", part.more);
    if (part.tasks.size() > window) part.tasks.resize(window);
    shard_.around().sink->offer_backlog(std::move(part));
}

absl::Status Backlog::read_some(Slot slot, const QueueId& queue, std::size_t limit,
                                std::int64_t& next_sequence, std::vector<TaskOffer>& offers) {
    const store::KeyRange range =
        store::dispatch_range(slot, static_cast<store::QueueKind>(queue.kind), queue.namespace_id,
                              queue.name, next_sequence);
    const auto cursor = shard_.around().store.scan(range.begin, range.end);
    for (std::size_t i = 0; i < limit && cursor->valid(); ++i, cursor->next()) {
        STELE_ASSIGN_OR_RETURN(const store::DispatchKey key,
                               store::decode_dispatch_key(cursor->key()));
        storage::DispatchRow row;
        STELE_RETURN_IF_ERROR(store::unwrap_message(store::Table::kDispatch, cursor->value(), row));
        offers.push_back(make_offer(queue, {slot, RunKey(row.run_key())}, key.sequence, row));
        next_sequence = key.sequence + 1;
    }
    return cursor->status();
}

}  // namespace stele::shard
