#pragma once

#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

// The grammar of every key that the engine writes; docs/formats/keys.md is its specification and
// store/testdata/keys.golden keeps it readable for ever. A key starts with the byte of its table. In
// most tables of a shard the slot follows, so the rows of a shard, which is a range of slots, are one
// contiguous scan. What a run consists of, which is most of a store, stands in the order in which runs were
// created: what is written now stands together, and what is done with is left alone when files are
// merged. All functions are pure and thread safe.
namespace stele::store {

/// The first byte of a key. Letters, so that a dump can be read.
enum class Table : char {
    kCurrent = 'c',        ///< the newest run of a workflow id
    kRun = 'r',            ///< run id to run key
    kState = 's',          ///< header and pending items of a run
    kEvents = 'e',         ///< batches of history events
    kDispatch = 'd',       ///< tasks for matching
    kAlarm = 'a',          ///< when a run wants to be woken
    kOutbox = 'o',         ///< effects on other runs that are not acknowledged yet
    kIndex = 'x',          ///< the feed of visibility records
    kMeta = 'm',           ///< facts about the store and the cluster, by name
    kNamespace = 'n',      ///< namespaces by id
    kNamespaceName = 'N',  ///< namespace name to id
    kTaskQueue = 33,       ///< what operators have set for a task queue
    kBatch = 40,           ///< operations on many runs
    kNexusEndpoint = 45,   ///< Nexus endpoints by id
};

/// The word used for a table in messages and in docs/formats.
std::string table_name(Table table);

/// What a row of Table::kState describes. The numbers are on disk: never reuse one.
enum class StateKind : std::uint8_t {
    kHeader = 0,
    kInfo = 1,
    kAttributes = 2,
    kActivity = 3,
    kTimer = 4,
    kChild = 5,
    kExternalSignal = 6,
    kExternalCancel = 7,
    kBufferedEvent = 8,
    kRequestId = 9,
    kUpdate = 10,
    kNexusOperation = 11,
    kCallback = 43,
};

enum class QueueKind : std::uint8_t { kWorkflow = 1, kActivity = 2 };

// ---- slots -------------------------------------------------------------------------------------

/// Slots [begin, end).
struct SlotRange {
    Slot begin = 0;
    Slot end = kSlotCount;

    bool contains(Slot slot) const { return slot >= begin && slot < end; }
    bool operator==(const SlotRange&) const = default;
};

/// The slot of a workflow id. The same for ever and on every machine.
Slot slot_of(std::string_view namespace_id, std::string_view workflow_id);
/// The slots of one of `shard_count` (1 to 4096) shards, numbered from 0; the ranges of all shards
/// cover every slot once.
SlotRange slots_of_shard(ShardId shard, int shard_count);
/// The shard whose range holds the slot.
ShardId shard_of_slot(Slot slot, int shard_count);

// ---- rows of runs ------------------------------------------------------------------------------

/// For Store::scan and Store::scan_reverse: keys in [begin, end).
struct KeyRange {
    std::string begin;
    std::string end;

    bool operator==(const KeyRange&) const = default;
};

/// The rows that a table has for a range of slots: a shard's part of it. Not for cluster tables, and not for state and
/// events, which are not in the order of slots.
KeyRange table_range(Table table, SlotRange slots);
/// A whole table.
KeyRange table_range(Table table);

struct CurrentKey {
    Slot slot = 0;
    std::string namespace_id;
    std::string workflow_id;

    bool operator==(const CurrentKey&) const = default;
};
std::string encode(const CurrentKey& key);
absl::StatusOr<CurrentKey> decode_current_key(std::string_view key);
/// Every workflow id of a namespace in one slot.
KeyRange current_range(Slot slot, std::string_view namespace_id);

struct RunRowKey {
    Slot slot = 0;
    RunRef run;

    bool operator==(const RunRowKey&) const = default;
};
std::string encode(const RunRowKey& key);
absl::StatusOr<RunRowKey> decode_run_key(std::string_view key);
/// Every run of a workflow id, ordered by run id.
KeyRange run_range(Slot slot, std::string_view namespace_id, std::string_view workflow_id);

/// `item` tells the rows of one kind apart: the scheduled or started event id of a pending item, a
/// sequence for buffered events, 0 where there is only one row.
struct StateKey {
    Slot slot = 0;
    RunKey run;
    StateKind kind = StateKind::kHeader;
    std::int64_t item = 0;

    bool operator==(const StateKey&) const = default;
};
std::string encode(const StateKey& key);
absl::StatusOr<StateKey> decode_state_key(std::string_view key);
/// Everything that is needed to load a run, the header first. The last run key in use is found by the
/// first row of a reverse scan over `table_range(Table::kState)`.
KeyRange state_range(Slot slot, RunKey run);
KeyRange state_range(Slot slot, RunKey run, StateKind kind);

struct EventsKey {
    Slot slot = 0;
    RunKey run;
    EventId first;  ///< the first event of the batch

    bool operator==(const EventsKey&) const = default;
};
std::string encode(const EventsKey& key);
absl::StatusOr<EventsKey> decode_events_key(std::string_view key);
/// The batches whose first event id is in [from, to). The batch that holds event n is the first
/// row of a reverse scan over `events_range(slot, run, kFirstEvent, n.next())`.
KeyRange events_range(Slot slot, RunKey run, EventId from, EventId to);
/// The whole history of a run.
KeyRange events_range(Slot slot, RunKey run);

struct DispatchKey {
    Slot slot = 0;
    QueueKind kind = QueueKind::kWorkflow;
    std::string namespace_id;
    std::string task_queue;
    std::int64_t sequence = 0;

    bool operator==(const DispatchKey&) const = default;
};
std::string encode(const DispatchKey& key);
absl::StatusOr<DispatchKey> decode_dispatch_key(std::string_view key);
/// The tasks that one queue has in one slot, from a sequence on, oldest first.
KeyRange dispatch_range(Slot slot, QueueKind kind, std::string_view namespace_id,
                        std::string_view task_queue,
                        std::int64_t from_sequence = std::numeric_limits<std::int64_t>::min());

struct AlarmKey {
    Slot slot = 0;
    Timestamp time{};
    RunKey run;

    bool operator==(const AlarmKey&) const = default;
};
std::string encode(const AlarmKey& key);
absl::StatusOr<AlarmKey> decode_alarm_key(std::string_view key);
/// The alarms of one slot that are due at `now`, that is at or before it, earliest first.
KeyRange alarm_range_due(Slot slot, Timestamp now);

struct OutboxKey {
    Slot slot = 0;
    std::int64_t sequence = 0;

    bool operator==(const OutboxKey&) const = default;
};
std::string encode(const OutboxKey& key);
absl::StatusOr<OutboxKey> decode_outbox_key(std::string_view key);
KeyRange outbox_range(Slot slot);

/// A visibility record. `slot` is the first slot of the shard that wrote it, so that a shard's feed
/// is one scan in the order of its sequence.
struct IndexKey {
    Slot slot = 0;
    std::int64_t sequence = 0;

    bool operator==(const IndexKey&) const = default;
};
std::string encode(const IndexKey& key);
absl::StatusOr<IndexKey> decode_index_key(std::string_view key);
/// The records of one feed behind `after`, oldest first.
KeyRange index_range(Slot slot, std::int64_t after = std::numeric_limits<std::int64_t>::min());

// ---- rows of the cluster -----------------------------------------------------------------------

std::string meta_key(std::string_view name);
absl::StatusOr<std::string> decode_meta_key(std::string_view key);

std::string namespace_key(std::string_view namespace_id);
absl::StatusOr<std::string> decode_namespace_key(std::string_view key);

std::string namespace_name_key(std::string_view name);
absl::StatusOr<std::string> decode_namespace_name_key(std::string_view key);

struct TaskQueueKey {
    std::string namespace_id;
    std::string name;
    int type = 0;  // temporal.api.enums.v1.TaskQueueType
    bool operator==(const TaskQueueKey&) const = default;
};
std::string encode(const TaskQueueKey& key);
absl::StatusOr<TaskQueueKey> decode_task_queue_key(std::string_view key);
/// The task queues of a namespace, by name.
KeyRange task_queue_range(std::string_view namespace_id);

struct BatchKey {
    std::string namespace_id;
    std::string job_id;
    bool operator==(const BatchKey&) const = default;
};
std::string encode(const BatchKey& key);
absl::StatusOr<BatchKey> decode_batch_key(std::string_view key);
/// The batch operations of a namespace, by job id.
KeyRange batch_range(std::string_view namespace_id);

std::string nexus_endpoint_key(std::string_view endpoint_id);
absl::StatusOr<std::string> decode_nexus_endpoint_key(std::string_view key);

/// Any key in words, for messages and dumps, such as `state(17, 4, activity, 12)`. A key that is
/// not of this grammar is shown as hexadecimal.
std::string describe_key(std::string_view key);

// ---- values ------------------------------------------------------------------------------------

/// The version that this build writes into the first byte of every value of a table.
std::uint8_t format_version(Table table);

/// The value with its format version in front.
std::string wrap_value(Table table, std::string_view payload);
/// The same for a message, serialised in place.
std::string wrap_message(Table table, const google::protobuf::MessageLite& message);

/// The payload, as a view into `value`. DATA_LOSS for an empty value; FAILED_PRECONDITION for a
/// version that this build does not read, with the version and the table in the message.
absl::StatusOr<std::string_view> unwrap_value(Table table, std::string_view value);
/// Parses the payload into `message`; DATA_LOSS when it does not parse.
absl::Status unwrap_message(Table table, std::string_view value,
                            google::protobuf::MessageLite& message);

}  // namespace stele::store
