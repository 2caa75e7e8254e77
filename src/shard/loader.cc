#include "shard/loader.h"

#include "store/key_codec.h"

#include <utility>

namespace stele::shard {
namespace {

using store::StateKind;
using store::Table;

template <typename Row>
absl::Status put_row(history::Table<Row>& table, std::int64_t item, std::string_view value) {
    Row row;
    STELE_RETURN_IF_ERROR(store::unwrap_message(Table::kState, value, row));
    table.put(item, std::move(row));
    return absl::OkStatus();
}

absl::Status put_state(history::Run& run, const store::StateKey& key, std::string_view value) {
    switch (key.kind) {
        case StateKind::kHeader: return store::unwrap_message(Table::kState, value, run.header);
        case StateKind::kInfo: return store::unwrap_message(Table::kState, value, run.info);
        case StateKind::kAttributes:
            return store::unwrap_message(Table::kState, value, run.attributes);
        case StateKind::kActivity: return put_row(run.activities, key.item, value);
        case StateKind::kTimer: return put_row(run.timers, key.item, value);
        case StateKind::kChild: return put_row(run.children, key.item, value);
        case StateKind::kExternalSignal: return put_row(run.external_signals, key.item, value);
        case StateKind::kExternalCancel: return put_row(run.external_cancels, key.item, value);
        case StateKind::kBufferedEvent: return put_row(run.buffered, key.item, value);
        case StateKind::kRequestId: return put_row(run.request_ids, key.item, value);
        case StateKind::kUpdate: return put_row(run.updates, key.item, value);
        case StateKind::kCallback: return put_row(run.callbacks, key.item, value);
        case StateKind::kNexusOperation: return put_row(run.nexus_operations, key.item, value);
    }
    return make_error(absl::StatusCode::kFailedPrecondition,
                      "a state row of a kind that this build does not know: " +
                          store::describe_key(store::encode(key)));
}

}  // namespace

absl::StatusOr<std::optional<storage::CurrentRow>> read_current(store::Store& store, Slot slot,
                                                                const RunRef& workflow) {
    const std::string key =
        store::encode(store::CurrentKey{slot, workflow.namespace_id, workflow.workflow_id});
    STELE_ASSIGN_OR_RETURN(const std::optional<std::string> value, store.get(key));
    if (!value) return std::optional<storage::CurrentRow>();
    storage::CurrentRow row;
    STELE_RETURN_IF_ERROR(store::unwrap_message(Table::kCurrent, *value, row));
    return std::optional<storage::CurrentRow>(std::move(row));
}

std::string encode_run_value(RunKey key) {
    return store::wrap_value(Table::kRun, store::KeyWriter().integer(key.value()).take());
}

absl::StatusOr<std::optional<RunKey>> read_run_key(store::Store& store, Slot slot,
                                                   const RunRef& run) {
    STELE_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                           store.get(store::encode(store::RunRowKey{slot, run})));
    if (!value) return std::optional<RunKey>();
    STELE_ASSIGN_OR_RETURN(const std::string_view payload,
                           store::unwrap_value(Table::kRun, *value));
    store::KeyReader reader(payload);
    const RunKey key(reader.integer());
    if (!reader.complete()) {
        return make_error(absl::StatusCode::kDataLoss, "a run row that is not one run key");
    }
    return std::optional<RunKey>(key);
}

absl::StatusOr<std::unique_ptr<LoadedRun>> read_run(store::Store& store, RunAddress address) {
    const store::KeyRange range = store::state_range(address.slot, address.key);
    const std::unique_ptr<store::Cursor> cursor = store.scan(range.begin, range.end);
    auto run = std::make_unique<history::Run>();
    bool found = false;
    for (; cursor->valid(); cursor->next()) {
        STELE_ASSIGN_OR_RETURN(const store::StateKey key, store::decode_state_key(cursor->key()));
        STELE_RETURN_IF_ERROR(put_state(*run, key, cursor->value()));
        found = true;
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    if (!found) return std::unique_ptr<LoadedRun>();
    auto loaded = std::make_unique<LoadedRun>();
    loaded->address = address;
    // Who saw what before this process began is unknown: nothing of it can be taken back.
    loaded->revealed = EventId(run->header.next_event_id() - 1);
    loaded->run = std::move(run);
    return loaded;
}

absl::StatusOr<RunKey> read_last_run_key(store::Store& store) {
    const store::KeyRange range = store::table_range(Table::kState);
    const std::unique_ptr<store::Cursor> cursor = store.scan_reverse(range.begin, range.end);
    if (!cursor->valid()) {
        STELE_RETURN_IF_ERROR(cursor->status());
        return RunKey();
    }
    STELE_ASSIGN_OR_RETURN(const store::StateKey key, store::decode_state_key(cursor->key()));
    return key.run;
}

}  // namespace stele::shard
