#include "store/upgrade.h"

#include "store/keys.h"

#include <utility>

namespace stele::store {
namespace {

/// What one write moves, about.
constexpr std::size_t kBytesAtOnce = 1U << 20;

constexpr std::size_t kSlotAt = 1;  // behind the byte of the table
constexpr std::size_t kRunAt = 3;
constexpr std::size_t kRestAt = 11;

/// The rows of a table that are still as layout 1 had them. A slot is below 1000 (hexadecimal), and the key of a run
/// begins with 80 or more, so the two layouts never share a first byte.
KeyRange rows_of_layout_1(Table table) {
    const char letter = static_cast<char>(table);
    return {std::string(1, letter), std::string{letter, static_cast<char>(kSlotCount >> 8)}};
}

absl::Status move_rows(Store& store, Table table) {
    const KeyRange range = rows_of_layout_1(table);
    const std::unique_ptr<Cursor> cursor = store.scan(range.begin, range.end);
    WriteBatch batch;
    for (; cursor->valid(); cursor->next()) {
        const std::string_view old = cursor->key();
        if (old.size() < kRestAt) {
            return make_error(absl::StatusCode::kDataLoss,
                              "not a key of the " + table_name(table) + " table of layout 1");
        }
        std::string key(1, static_cast<char>(table));
        key.append(old.substr(kRunAt, kRestAt - kRunAt));
        key.append(old.substr(kSlotAt, kRunAt - kSlotAt));
        key.append(old.substr(kRestAt));
        batch.put(std::move(key), std::string(cursor->value()));
        batch.erase(std::string(old));
        if (batch.bytes() >= kBytesAtOnce) {
            STELE_RETURN_IF_ERROR(store.write(std::exchange(batch, {}), Sync::kNo));
        }
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    return store.write(batch, Sync::kNo);
}

}  // namespace

absl::Status upgrade_from_layout_1(Store& store) {
    STELE_RETURN_IF_ERROR(move_rows(store, Table::kState));
    return move_rows(store, Table::kEvents);
}

}  // namespace stele::store
