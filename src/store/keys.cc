#include "store/keys.h"

#include "base/check.h"
#include "store/key_codec.h"

#include <utility>

namespace stele::store {
namespace {

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();

KeyWriter table_writer(Table table) {
    KeyWriter writer;
    writer.byte(static_cast<std::uint8_t>(table));
    return writer;
}

KeyWriter row_writer(Table table, Slot slot) {
    STELE_CHECK(slot < kSlotCount, "slot " + std::to_string(slot) + " is out of range");
    KeyWriter writer = table_writer(table);
    writer.short_integer(slot);
    return writer;
}

/// The beginning of the keys of one run. Runs are numbered as they are created, so what is written now stands
/// together, at the end of the table, and what is done with is left alone when files are merged.
KeyWriter run_writer(Table table, Slot slot, RunKey run) {
    STELE_CHECK(slot < kSlotCount, "slot " + std::to_string(slot) + " is out of range");
    KeyWriter writer = table_writer(table);
    writer.integer(run.value()).short_integer(slot);
    return writer;
}

/// Reads the table byte and, when the rest is well formed too, hands the key out.
class RowReader {
public:
    RowReader(Table table, std::string_view key) : table_(table), key_(key), reader_(key) {
        table_matches_ = reader_.byte() == static_cast<std::uint8_t>(table);
    }

    KeyReader& reader() { return reader_; }

    template <typename Key>
    absl::StatusOr<Key> finish(Key key) const {
        if (table_matches_ && reader_.complete()) return key;
        return make_error(absl::StatusCode::kDataLoss,
                          "not a key of the " + table_name(table_) + " table: " + to_hex(key_));
    }

    template <typename Key>
    absl::StatusOr<Key> finish_row(Key key) {
        if (key.slot >= kSlotCount) table_matches_ = false;
        return finish(std::move(key));
    }

private:
    Table table_;
    std::string_view key_;
    KeyReader reader_;
    bool table_matches_;
};

KeyRange prefix_range(std::string prefix) {
    std::string end = prefix_end(prefix);
    return {std::move(prefix), std::move(end)};
}

absl::StatusOr<std::string> decode_named(Table table, std::string_view key) {
    RowReader row(table, key);
    return row.finish(row.reader().text());
}

}  // namespace

// ---- slots -------------------------------------------------------------------------------------

Slot slot_of(std::string_view namespace_id, std::string_view workflow_id) {
    // FNV-1a over the two names with a zero byte between them, then a finalizer, because the high
    // bits of FNV mix badly for short names. On disk for ever: see the golden file.
    std::uint64_t hash = 0xcbf29ce484222325;
    const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
    for (const char byte : namespace_id) add(static_cast<unsigned char>(byte));
    add(0);
    for (const char byte : workflow_id) add(static_cast<unsigned char>(byte));
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccd;
    hash ^= hash >> 33;
    return static_cast<Slot>(hash % kSlotCount);
}

SlotRange slots_of_shard(ShardId shard, int shard_count) {
    STELE_CHECK(shard_count >= 1 && shard_count <= kSlotCount,
                "a shard count of " + std::to_string(shard_count));
    STELE_CHECK(shard.value() >= 0 && shard.value() < shard_count,
                "shard " + std::to_string(shard.value()) + " of " + std::to_string(shard_count));
    const auto bound = [shard_count](std::int64_t index) {
        return static_cast<Slot>(index * kSlotCount / shard_count);
    };
    return {bound(shard.value()), bound(shard.value() + 1)};
}

ShardId shard_of_slot(Slot slot, int shard_count) {
    STELE_CHECK(slot < kSlotCount, "slot " + std::to_string(slot) + " is out of range");
    // The inverse of the bound above: the last shard that begins at or before the slot.
    const std::int64_t count = shard_count;
    return ShardId((static_cast<std::int64_t>(slot) * count + count - 1) / kSlotCount);
}

// ---- rows of runs ------------------------------------------------------------------------------

KeyRange table_range(Table table, SlotRange slots) {
    STELE_CHECK(table != Table::kState && table != Table::kEvents,
                "the rows of runs are not in the order of slots");
    // The end may be the slot after the last one, so it is written without the check on rows.
    std::string end = table_writer(table).short_integer(slots.end).take();
    return {row_writer(table, slots.begin).take(), std::move(end)};
}

KeyRange table_range(Table table) { return prefix_range(table_writer(table).take()); }

std::string encode(const CurrentKey& key) {
    return row_writer(Table::kCurrent, key.slot)
        .text(key.namespace_id)
        .text(key.workflow_id)
        .take();
}

absl::StatusOr<CurrentKey> decode_current_key(std::string_view key) {
    RowReader row(Table::kCurrent, key);
    CurrentKey result;
    result.slot = row.reader().short_integer();
    result.namespace_id = row.reader().text();
    result.workflow_id = row.reader().text();
    return row.finish_row(std::move(result));
}

KeyRange current_range(Slot slot, std::string_view namespace_id) {
    return prefix_range(row_writer(Table::kCurrent, slot).text(namespace_id).take());
}

std::string encode(const RunRowKey& key) {
    return row_writer(Table::kRun, key.slot)
        .text(key.run.namespace_id)
        .text(key.run.workflow_id)
        .text(key.run.run_id)
        .take();
}

absl::StatusOr<RunRowKey> decode_run_key(std::string_view key) {
    RowReader row(Table::kRun, key);
    RunRowKey result;
    result.slot = row.reader().short_integer();
    result.run.namespace_id = row.reader().text();
    result.run.workflow_id = row.reader().text();
    result.run.run_id = row.reader().text();
    return row.finish_row(std::move(result));
}

KeyRange run_range(Slot slot, std::string_view namespace_id, std::string_view workflow_id) {
    return prefix_range(row_writer(Table::kRun, slot).text(namespace_id).text(workflow_id).take());
}

std::string encode(const StateKey& key) {
    return run_writer(Table::kState, key.slot, key.run)
        .byte(static_cast<std::uint8_t>(key.kind))
        .integer(key.item)
        .take();
}

absl::StatusOr<StateKey> decode_state_key(std::string_view key) {
    RowReader row(Table::kState, key);
    StateKey result;
    result.run = RunKey(row.reader().integer());
    result.slot = row.reader().short_integer();
    result.kind = static_cast<StateKind>(row.reader().byte());
    result.item = row.reader().integer();
    return row.finish_row(result);
}

KeyRange state_range(Slot slot, RunKey run) {
    return prefix_range(run_writer(Table::kState, slot, run).take());
}

KeyRange state_range(Slot slot, RunKey run, StateKind kind) {
    return prefix_range(
        run_writer(Table::kState, slot, run).byte(static_cast<std::uint8_t>(kind)).take());
}

std::string encode(const EventsKey& key) {
    return run_writer(Table::kEvents, key.slot, key.run).integer(key.first.value()).take();
}

absl::StatusOr<EventsKey> decode_events_key(std::string_view key) {
    RowReader row(Table::kEvents, key);
    EventsKey result;
    result.run = RunKey(row.reader().integer());
    result.slot = row.reader().short_integer();
    result.first = EventId(row.reader().integer());
    return row.finish_row(result);
}

KeyRange events_range(Slot slot, RunKey run, EventId from, EventId to) {
    return {encode(EventsKey{slot, run, from}), encode(EventsKey{slot, run, to})};
}

KeyRange events_range(Slot slot, RunKey run) {
    return prefix_range(run_writer(Table::kEvents, slot, run).take());
}

std::string encode(const DispatchKey& key) {
    return row_writer(Table::kDispatch, key.slot)
        .byte(static_cast<std::uint8_t>(key.kind))
        .text(key.namespace_id)
        .text(key.task_queue)
        .integer(key.sequence)
        .take();
}

absl::StatusOr<DispatchKey> decode_dispatch_key(std::string_view key) {
    RowReader row(Table::kDispatch, key);
    DispatchKey result;
    result.slot = row.reader().short_integer();
    result.kind = static_cast<QueueKind>(row.reader().byte());
    result.namespace_id = row.reader().text();
    result.task_queue = row.reader().text();
    result.sequence = row.reader().integer();
    return row.finish_row(std::move(result));
}

KeyRange dispatch_range(Slot slot, QueueKind kind, std::string_view namespace_id,
                        std::string_view task_queue, std::int64_t from_sequence) {
    KeyWriter queue = row_writer(Table::kDispatch, slot)
                          .byte(static_cast<std::uint8_t>(kind))
                          .text(namespace_id)
                          .text(task_queue);
    KeyRange range = prefix_range(KeyWriter(queue).take());
    range.begin = queue.integer(from_sequence).take();
    return range;
}

std::string encode(const AlarmKey& key) {
    return row_writer(Table::kAlarm, key.slot)
        .integer(key.time.time_since_epoch().count())
        .integer(key.run.value())
        .take();
}

absl::StatusOr<AlarmKey> decode_alarm_key(std::string_view key) {
    RowReader row(Table::kAlarm, key);
    AlarmKey result;
    result.slot = row.reader().short_integer();
    result.time = Timestamp(Duration(row.reader().integer()));
    result.run = RunKey(row.reader().integer());
    return row.finish_row(result);
}

KeyRange alarm_range_due(Slot slot, Timestamp now) {
    std::string begin = row_writer(Table::kAlarm, slot).take();
    std::string last =
        row_writer(Table::kAlarm, slot).integer(now.time_since_epoch().count()).take();
    return {std::move(begin), prefix_end(std::move(last))};
}

std::string encode(const OutboxKey& key) {
    return row_writer(Table::kOutbox, key.slot).integer(key.sequence).take();
}

absl::StatusOr<OutboxKey> decode_outbox_key(std::string_view key) {
    RowReader row(Table::kOutbox, key);
    OutboxKey result;
    result.slot = row.reader().short_integer();
    result.sequence = row.reader().integer();
    return row.finish_row(result);
}

KeyRange outbox_range(Slot slot) { return prefix_range(row_writer(Table::kOutbox, slot).take()); }

std::string encode(const IndexKey& key) {
    return row_writer(Table::kIndex, key.slot).integer(key.sequence).take();
}

absl::StatusOr<IndexKey> decode_index_key(std::string_view key) {
    RowReader row(Table::kIndex, key);
    IndexKey result;
    result.slot = row.reader().short_integer();
    result.sequence = row.reader().integer();
    return row.finish_row(result);
}

KeyRange index_range(Slot slot, std::int64_t after) {
    KeyRange range = prefix_range(row_writer(Table::kIndex, slot).take());
    if (after != kFirst) range.begin = prefix_end(encode(IndexKey{slot, after}));
    return range;
}

// ---- rows of the cluster -----------------------------------------------------------------------

std::string meta_key(std::string_view name) { return table_writer(Table::kMeta).text(name).take(); }

absl::StatusOr<std::string> decode_meta_key(std::string_view key) {
    return decode_named(Table::kMeta, key);
}

std::string namespace_key(std::string_view namespace_id) {
    return table_writer(Table::kNamespace).text(namespace_id).take();
}

absl::StatusOr<std::string> decode_namespace_key(std::string_view key) {
    return decode_named(Table::kNamespace, key);
}

std::string namespace_name_key(std::string_view name) {
    return table_writer(Table::kNamespaceName).text(name).take();
}

absl::StatusOr<std::string> decode_namespace_name_key(std::string_view key) {
    return decode_named(Table::kNamespaceName, key);
}

std::string encode(const TaskQueueKey& key) {
    return table_writer(Table::kTaskQueue)
        .text(key.namespace_id)
        .text(key.name)
        .byte(static_cast<std::uint8_t>(key.type))
        .take();
}

absl::StatusOr<TaskQueueKey> decode_task_queue_key(std::string_view key) {
    RowReader row(Table::kTaskQueue, key);
    TaskQueueKey result;
    result.namespace_id = row.reader().text();
    result.name = row.reader().text();
    result.type = row.reader().byte();
    return row.finish(std::move(result));
}

KeyRange task_queue_range(std::string_view namespace_id) {
    return prefix_range(table_writer(Table::kTaskQueue).text(namespace_id).take());
}

std::string encode(const BatchKey& key) {
    return table_writer(Table::kBatch).text(key.namespace_id).text(key.job_id).take();
}

absl::StatusOr<BatchKey> decode_batch_key(std::string_view key) {
    RowReader row(Table::kBatch, key);
    BatchKey result;
    result.namespace_id = row.reader().text();
    result.job_id = row.reader().text();
    return row.finish(std::move(result));
}

KeyRange batch_range(std::string_view namespace_id) {
    return prefix_range(table_writer(Table::kBatch).text(namespace_id).take());
}

std::string nexus_endpoint_key(std::string_view endpoint_id) {
    return table_writer(Table::kNexusEndpoint).text(endpoint_id).take();
}

absl::StatusOr<std::string> decode_nexus_endpoint_key(std::string_view key) {
    return decode_named(Table::kNexusEndpoint, key);
}

}  // namespace stele::store
