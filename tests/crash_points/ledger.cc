#include "tests/crash_points/ledger.h"

#include "base/check.h"
#include "store/format.h"
#include "store/keys.h"
#include "store/memory/memory_store.h"
#include "tests/crash_points/aside.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <utility>

namespace stele::crash_points {
namespace {

using Rows = std::map<std::string, std::string>;

absl::StatusOr<Rows> rows_of(store::Store& store) {
    Rows rows;
    const auto cursor = store.scan("", "\xff\xff");
    for (; cursor->valid(); cursor->next()) {
        rows.emplace(cursor->key(), cursor->value());
    }
    STELE_RETURN_IF_ERROR(cursor->status());
    return rows;
}

void put(store::Store& memory, const store::WriteBatch& batch) {
    STELE_CHECK(memory.write(batch, store::Sync::kYes).ok(), "a memory store does not fail");
}

std::string first_difference(const Rows& expected, const Rows& found) {
    for (const auto& [key, value] : expected) {
        const auto row = found.find(key);
        if (row == found.end()) return store::describe_key(key) + " is missing";
        if (row->second != value) return store::describe_key(key) + " has another value";
    }
    for (const auto& [key, value] : found) {
        if (!expected.contains(key)) return store::describe_key(key) + " should not be there";
    }
    return "nothing differs";
}

}  // namespace

Ledger::Ledger() : confirmed_(store::make_memory_store()) {
    // Opening writes the mark, if it is not there, before anything else.
    STELE_CHECK(store::check_format(*confirmed_, "the ledger").ok(), "an empty store is accepted");
}

void Ledger::begin(const store::WriteBatch& batch) {
    const Aside aside;
    open_.push_back(batch);
}

void Ledger::confirm() {
    const Aside aside;
    for (const store::WriteBatch& batch : open_) put(*confirmed_, batch);
    open_.clear();
}

Ledger::State Ledger::state() const { return {rows_of(*confirmed_).value(), open_}; }

void Ledger::load(const State& state) {
    confirmed_ = store::make_memory_store();
    store::WriteBatch rows;
    for (const auto& [key, value] : state.confirmed) rows.put(key, value);
    put(*confirmed_, rows);
    open_ = state.open;
}

std::string Ledger::reconcile(store::Store& found) {
    const Aside aside;
    const absl::StatusOr<Rows> rows = rows_of(found);
    if (!rows.ok()) return "the store can not be read: " + message_of(rows.status());
    Rows expected = rows_of(*confirmed_).value();
    const std::string difference = first_difference(expected, *rows);
    for (std::size_t kept = 0; expected != *rows; ++kept) {
        if (kept == open_.size()) {
            return fmt::format(
                "the store holds no prefix of what was written ({} batches not "
                "confirmed); compared with what was confirmed, {}",
                open_.size(), difference);
        }
        put(*confirmed_, open_[kept]);
        expected = rows_of(*confirmed_).value();
    }
    open_.clear();
    return {};
}

}  // namespace stele::crash_points
