#include "store/key_codec.h"
#include "store/keys.h"

// Keys in words. The golden file compares against this text, so a change here is a change of
// src/store/testdata/keys.golden too.
namespace stele::store {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

/// Printable text in quotes; anything else as \xx.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char byte : text) {
        const bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
        result += plain ? std::string(1, byte) : "\\" + to_hex(std::string_view(&byte, 1));
    }
    return result + "\"";
}

std::string kind_name(StateKind kind) {
    switch (kind) {
        case StateKind::kHeader: return "header";
        case StateKind::kInfo: return "info";
        case StateKind::kAttributes: return "attributes";
        case StateKind::kActivity: return "activity";
        case StateKind::kTimer: return "timer";
        case StateKind::kChild: return "child";
        case StateKind::kExternalSignal: return "external_signal";
        case StateKind::kExternalCancel: return "external_cancel";
        case StateKind::kBufferedEvent: return "buffered_event";
        case StateKind::kRequestId: return "request_id";
        case StateKind::kUpdate: return "update";
        case StateKind::kCallback: return "callback";
        case StateKind::kNexusOperation: return "nexus_operation";
    }
    return "kind_" + number(static_cast<int>(kind));
}

std::string kind_name(QueueKind kind) {
    switch (kind) {
        case QueueKind::kWorkflow: return "workflow";
        case QueueKind::kActivity: return "activity";
    }
    return "kind_" + number(static_cast<int>(kind));
}

std::string words(const CurrentKey& key) {
    return number(key.slot) + ", " + quoted(key.namespace_id) + ", " + quoted(key.workflow_id);
}

std::string words(const RunRowKey& key) {
    return number(key.slot) + ", " + quoted(key.run.namespace_id) + ", " +
           quoted(key.run.workflow_id) + ", " + quoted(key.run.run_id);
}

std::string words(const StateKey& key) {
    return number(key.slot) + ", " + number(key.run.value()) + ", " + kind_name(key.kind) + ", " +
           number(key.item);
}

std::string words(const EventsKey& key) {
    return number(key.slot) + ", " + number(key.run.value()) + ", " + number(key.first.value());
}

std::string words(const DispatchKey& key) {
    return number(key.slot) + ", " + kind_name(key.kind) + ", " + quoted(key.namespace_id) + ", " +
           quoted(key.task_queue) + ", " + number(key.sequence);
}

std::string words(const AlarmKey& key) {
    return number(key.slot) + ", " + number(key.time.time_since_epoch().count()) + ", " +
           number(key.run.value());
}

std::string words(const OutboxKey& key) { return number(key.slot) + ", " + number(key.sequence); }

std::string words(const IndexKey& key) { return number(key.slot) + ", " + number(key.sequence); }

std::string words(const TaskQueueKey& key) {
    return quoted(key.namespace_id) + ", " + quoted(key.name) + ", " + number(key.type);
}

std::string words(const BatchKey& key) {
    return quoted(key.namespace_id) + ", " + quoted(key.job_id);
}

std::string words(const std::string& name) { return quoted(name); }

template <typename Key>
std::string row(Table table, const absl::StatusOr<Key>& key, std::string_view bytes) {
    if (!key.ok()) return to_hex(bytes);
    return table_name(table) + "(" + words(*key) + ")";
}

}  // namespace

std::string table_name(Table table) {
    switch (table) {
        case Table::kCurrent: return "current";
        case Table::kRun: return "run";
        case Table::kState: return "state";
        case Table::kEvents: return "events";
        case Table::kDispatch: return "dispatch";
        case Table::kAlarm: return "alarm";
        case Table::kOutbox: return "outbox";
        case Table::kIndex: return "index";
        case Table::kMeta: return "meta";
        case Table::kNamespace: return "namespace";
        case Table::kNamespaceName: return "namespace_name";
        case Table::kTaskQueue: return "task_queue";
        case Table::kBatch: return "batch";
        case Table::kNexusEndpoint: return "nexus_endpoint";
    }
    return "table_" + number(static_cast<unsigned char>(table));
}

std::string describe_key(std::string_view key) {
    if (key.empty()) return "(empty key)";
    const auto table = static_cast<Table>(key.front());
    switch (table) {
        case Table::kCurrent: return row(table, decode_current_key(key), key);
        case Table::kRun: return row(table, decode_run_key(key), key);
        case Table::kState: return row(table, decode_state_key(key), key);
        case Table::kEvents: return row(table, decode_events_key(key), key);
        case Table::kDispatch: return row(table, decode_dispatch_key(key), key);
        case Table::kAlarm: return row(table, decode_alarm_key(key), key);
        case Table::kOutbox: return row(table, decode_outbox_key(key), key);
        case Table::kIndex: return row(table, decode_index_key(key), key);
        case Table::kMeta: return row(table, decode_meta_key(key), key);
        case Table::kNamespace: return row(table, decode_namespace_key(key), key);
        case Table::kNamespaceName: return row(table, decode_namespace_name_key(key), key);
        case Table::kTaskQueue: return row(table, decode_task_queue_key(key), key);
        case Table::kBatch: return row(table, decode_batch_key(key), key);
        case Table::kNexusEndpoint: return row(table, decode_nexus_endpoint_key(key), key);
    }
    return to_hex(key);
}

}  // namespace stele::store
