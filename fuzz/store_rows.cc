#include "fuzz/target.h"

#include "stele/internal/rows.pb.h"
#include "store/key_codec.h"
#include "store/keys.h"

// Any bytes as a key of each table and as a value: a key that is read is written as the same bytes, and
// what can not be read is refused with a typed error.
namespace {

using namespace stele;
using namespace stele::store;

template <typename Key, typename Decode>
void check_key(std::string_view bytes, Decode decode) {
    const absl::StatusOr<Key> key = decode(bytes);
    if (key.ok()) {
        STELE_CHECK(encode(*key) == bytes, "a key has two forms: " + describe_key(bytes));
    } else {
        STELE_CHECK(!message_of(key.status()).empty(), "no word about what is wrong");
    }
}

template <typename Row>
void check_value(Table table, std::string_view value) {
    Row row;
    const absl::Status status = unwrap_message(table, value, row);
    if (status.ok()) {
        Row again;
        STELE_CHECK(unwrap_message(table, wrap_message(table, row), again).ok(), "not read again");
        STELE_CHECK(again.SerializeAsString() == row.SerializeAsString(), "a row was changed");
        return;
    }
    STELE_CHECK(status.code() == absl::StatusCode::kDataLoss ||
                    status.code() == absl::StatusCode::kFailedPrecondition,
                "another error");
    STELE_CHECK(message_of(status).find(table_name(table)) != std::string::npos ||
                    message_of(status).find("value") != std::string::npos,
                "the error does not name the table: " + message_of(status));
}

}  // namespace

STELE_FUZZ_TARGET(store_rows) {
    check_key<CurrentKey>(input, decode_current_key);
    check_key<RunRowKey>(input, decode_run_key);
    check_key<StateKey>(input, decode_state_key);
    check_key<EventsKey>(input, decode_events_key);
    check_key<DispatchKey>(input, decode_dispatch_key);
    check_key<AlarmKey>(input, decode_alarm_key);
    check_key<OutboxKey>(input, decode_outbox_key);
    check_key<IndexKey>(input, decode_index_key);
    check_key<TaskQueueKey>(input, decode_task_queue_key);
    check_key<BatchKey>(input, decode_batch_key);
    STELE_CHECK(!describe_key(input).empty(), "a key without words");
    STELE_CHECK(from_hex(to_hex(input)) == std::string(input), "hexadecimal loses something");

    stele::fuzz::Pieces pieces(input);
    const std::uint8_t kind = pieces.byte();
    const std::string_view value = pieces.rest();
    switch (kind % 6) {
        case 0: return check_value<storage::HeaderRow>(Table::kState, value);
        case 1: return check_value<storage::ActivityRow>(Table::kState, value);
        case 2: return check_value<storage::OutboxRow>(Table::kOutbox, value);
        case 3: return check_value<storage::NamespaceRow>(Table::kNamespace, value);
        case 4: return check_value<storage::BatchRow>(Table::kBatch, value);
        default: return check_value<storage::DispatchRow>(Table::kDispatch, value);
    }
}
