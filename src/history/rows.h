#pragma once

#include "base/check.h"
#include "base/ids.h"
#include "base/time.h"
#include "history/update_types.h"
#include "stele/internal/rows.pb.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

// Pending items of a run: ordered by id, found by id or by name, changed only through a draft.
//
// A draft lays changes over a table without touching it. Dropping the draft leaves no trace;
// applying it makes the changes those of the table. The same changes are the rows to write, so what
// is stored and what is in memory can not drift apart. Not thread safe: a run belongs to one shard.
namespace stele::history {

using ItemId = std::int64_t;

/// The name by which a row can be found beside its id; empty for kinds that have none.
inline const std::string& row_name(const storage::ActivityRow& row) { return row.activity_id(); }
inline const std::string& row_name(const storage::TimerRow& row) { return row.timer_id(); }
inline const std::string& row_name(const storage::ChildRow& row) { return row.workflow_id(); }
inline const std::string& row_name(const storage::RequestIdRow& row) { return row.request_id(); }
inline const std::string& row_name(const storage::ExternalRow& row) { return row.request_id(); }
inline const std::string& row_name(const storage::NexusOperationRow& row) {
    return row.request_id();
}
inline const std::string& row_name(const storage::UpdateRow& row) { return row.update_id(); }
inline const std::string& row_name(const PendingUpdate& row) { return row.update_id; }
/// What a row takes up in the store.
template <typename Row>
std::size_t row_bytes(const Row& row) {
    return row.ByteSizeLong();
}
inline std::size_t row_bytes(const PendingUpdate&) { return 0; }  // in memory only
inline const std::string& row_name(const storage::BufferedEventRow&) {
    static const std::string none;
    return none;
}
inline const std::string& row_name(const storage::CallbackRow&) {
    static const std::string none;
    return none;
}

/// When something is to be done about a row; kNever for kinds that wait for others only. Depends on
/// nothing but the row, so that tables can keep their rows in the order of their deadlines.
Timestamp row_deadline(const storage::ActivityRow& row);  // activity_deadlines.cc
inline Timestamp row_deadline(const storage::TimerRow& row) { return from_proto(row.fire_time()); }
Timestamp row_deadline(const storage::NexusOperationRow& row);  // nexus_deadlines.cc
template <typename Row>
Timestamp row_deadline(const Row&) {
    return kNever;
}

/// A row that is due, and since when. Ordered by time, then by id.
struct Due {
    Timestamp deadline;
    ItemId id = 0;
    auto operator<=>(const Due&) const = default;
};

template <typename Row>
class Table {
public:
    const Row* find(ItemId id) const {
        const auto found = rows_.find(id);
        return found == rows_.end() ? nullptr : &found->second;
    }
    /// The id of the row with this name, or nullopt.
    std::optional<ItemId> id_of(const std::string& name) const {
        const auto found = names_.find(name);
        if (found == names_.end()) return std::nullopt;
        return found->second;
    }
    std::size_t size() const { return rows_.size(); }
    bool empty() const { return rows_.empty(); }
    const std::map<ItemId, Row>& rows() const { return rows_; }
    /// The rows that have a deadline, the earliest first.
    const std::set<Due>& deadlines() const { return deadlines_; }
    /// What all rows together take up in the store.
    std::size_t bytes() const { return bytes_; }

    /// Puts a row that was read from the store, or applies one of a draft.
    void put(ItemId id, Row row) {
        erase(id);
        const std::string& name = row_name(row);
        if (!name.empty()) names_[name] = id;
        const Timestamp deadline = row_deadline(row);
        if (deadline != kNever) deadlines_.insert({deadline, id});
        bytes_ += row_bytes(row);
        rows_.emplace(id, std::move(row));
    }
    void erase(ItemId id) {
        const auto found = rows_.find(id);
        if (found == rows_.end()) return;
        const auto named = names_.find(row_name(found->second));
        if (named != names_.end() && named->second == id) names_.erase(named);
        deadlines_.erase({row_deadline(found->second), id});
        bytes_ -= row_bytes(found->second);
        rows_.erase(found);
    }

private:
    std::map<ItemId, Row> rows_;
    std::set<Due> deadlines_;
    absl::flat_hash_map<std::string, ItemId> names_;  // costs nothing to make, while it is empty
    std::size_t bytes_ = 0;
};

template <typename Row>
class TableDraft {
public:
    explicit TableDraft(const Table<Row>& base) : base_(&base), size_(base.size()) {}

    /// The row as the draft sees it, or nullptr. Valid until the next change of that row.
    const Row* find(ItemId id) const {
        const auto changed = changes_.find(id);
        if (changed != changes_.end()) return changed->second ? &*changed->second : nullptr;
        return base_->find(id);
    }
    const Row* find_named(const std::string& name) const {
        const std::optional<ItemId> id = id_of(name);
        return id ? find(*id) : nullptr;
    }
    /// The id of the row with this name, or nullopt.
    std::optional<ItemId> id_of(const std::string& name) const {
        const auto added = added_names_.find(name);
        if (added != added_names_.end()) return added->second;
        const std::optional<ItemId> id = base_->id_of(name);
        if (!id || find(*id) == nullptr) return std::nullopt;
        return id;
    }
    /// The row for changing; it must exist.
    Row& edit(ItemId id) {
        const auto changed = changes_.find(id);
        if (changed != changes_.end()) {
            STELE_CHECK(changed->second.has_value(), "a pending item was edited after its erasure");
            return *changed->second;
        }
        const Row* row = base_->find(id);
        STELE_CHECK(row != nullptr, "a pending item that does not exist was edited");
        return *changes_.emplace(id, *row).first->second;
    }
    Row& insert(ItemId id, Row row) {
        STELE_CHECK(find(id) == nullptr, "a pending item was inserted twice");
        const std::string& name = row_name(row);
        if (!name.empty()) added_names_[name] = id;
        ++size_;
        return *changes_.insert_or_assign(id, std::move(row)).first->second;
    }
    void erase(ItemId id) {
        const Row* row = find(id);
        STELE_CHECK(row != nullptr, "a pending item that does not exist was erased");
        added_names_.erase(row_name(*row));
        --size_;
        if (base_->find(id) == nullptr) {
            changes_.erase(id);
        } else {
            changes_[id] = std::nullopt;
        }
    }
    /// Calls `visit(id, row)` for every row in ascending order of id.
    template <typename Visit>
    void for_each(Visit visit) const {
        auto change = changes_.begin();
        for (const auto& [id, row] : base_->rows()) {
            for (; change != changes_.end() && change->first < id; ++change) {
                if (change->second) visit(change->first, *change->second);
            }
            if (change != changes_.end() && change->first == id) {
                if (change->second) visit(id, *change->second);
                ++change;
            } else {
                visit(id, row);
            }
        }
        for (; change != changes_.end(); ++change) {
            if (change->second) visit(change->first, *change->second);
        }
    }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    /// What all rows together will take up in the store. Costs as much as the draft has changes.
    std::size_t bytes() const {
        std::size_t bytes = base_->bytes();
        for (const auto& [id, row] : changes_) {
            if (row) bytes += row_bytes(*row);
            if (const Row* before = base_->find(id)) bytes -= row_bytes(*before);
        }
        return bytes;
    }

    /// The earliest deadline of all rows; kNever when there is none. Costs as much as the draft has
    /// changes, whatever the size of the table.
    Timestamp earliest_deadline() const {
        Timestamp earliest = kNever;
        for (const Due& due : base_->deadlines()) {
            if (changes_.contains(due.id)) continue;
            earliest = due.deadline;
            break;
        }
        for (const auto& [id, row] : changes_) {
            if (row) earliest = std::min(earliest, row_deadline(*row));
        }
        return earliest;
    }
    /// All rows whose deadline is not after `now`, the earliest first.
    std::vector<Due> due_at(Timestamp now) const {
        std::vector<Due> found;
        for (const Due& due : base_->deadlines()) {
            if (due.deadline > now) break;
            if (!changes_.contains(due.id)) found.push_back(due);
        }
        for (const auto& [id, row] : changes_) {
            if (row && row_deadline(*row) <= now) found.push_back({row_deadline(*row), id});
        }
        std::sort(found.begin(), found.end());
        return found;
    }

    /// What differs from the base: a row to write, or nullopt for one to erase.
    const std::map<ItemId, std::optional<Row>>& changes() const { return changes_; }

    /// Makes the changes those of `table`, which must be the base.
    void apply_to(Table<Row>& table) && {
        STELE_CHECK(&table == base_, "a draft was applied to a table that it was not made from");
        for (auto& [id, row] : changes_) {
            if (row) {
                table.put(id, *std::move(row));
            } else {
                table.erase(id);
            }
        }
        changes_.clear();
    }

private:
    const Table<Row>* base_;
    std::map<ItemId, std::optional<Row>> changes_;
    absl::flat_hash_map<std::string, ItemId> added_names_;
    std::size_t size_;
};

}  // namespace stele::history
