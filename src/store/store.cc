#include "store/store.h"

#include <absl/container/flat_hash_map.h>

#include <iterator>
#include <utility>

namespace stele::store {

void WriteBatch::add(Operation operation) {
    // What most transitions come to, so that their rows are not moved from one array to the next.
    constexpr std::size_t kUsual = 8;
    if (operations_.empty()) operations_.reserve(kUsual);
    operations_.push_back(std::move(operation));
}

void WriteBatch::put(std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    add({Operation::Kind::kPut, std::move(key), std::move(value), false});
}

void WriteBatch::put_new(std::string key, std::string value) {
    put(std::move(key), std::move(value));
    operations_.back().is_new = true;
}

void WriteBatch::erase(std::string key) {
    bytes_ += key.size();
    add({Operation::Kind::kErase, std::move(key), {}, false});
}

void WriteBatch::erase_range(std::string begin, std::string end) {
    bytes_ += begin.size() + end.size();
    add({Operation::Kind::kEraseRange, std::move(begin), std::move(end), false});
}

void WriteBatch::append(WriteBatch other) {
    bytes_ += other.bytes_;
    if (operations_.empty()) {
        operations_ = std::move(other.operations_);
        return;
    }
    operations_.insert(operations_.end(), std::make_move_iterator(other.operations_.begin()),
                       std::make_move_iterator(other.operations_.end()));
}

void WriteBatch::drop_overwritten() {
    absl::flat_hash_map<std::string_view, std::size_t> last;  // operation of each key
    last.reserve(operations_.size());
    std::vector<bool> dropped(operations_.size());
    std::size_t count = 0;
    const auto drop = [&](std::size_t i) {
        count += dropped[i] ? 0 : 1;
        dropped[i] = true;
    };
    for (std::size_t i = operations_.size(); i-- > 0;) {
        // What a range erases depends on what came before it.
        if (operations_[i].kind == Operation::Kind::kEraseRange) break;
        const auto [settled, is_last] = last.try_emplace(operations_[i].key, i);
        if (is_last) continue;
        drop(i);
        if (!operations_[i].is_new) continue;
        if (operations_[settled->second].kind == Operation::Kind::kErase) {
            drop(settled->second);
            last.erase(settled);  // what came before the new one decides
        }
    }
    if (count == 0) return;
    std::vector<Operation> kept;
    kept.reserve(operations_.size() - count);
    for (std::size_t i = 0; i < operations_.size(); ++i) {
        if (dropped[i]) {
            bytes_ -= operations_[i].key.size() + operations_[i].value.size();
        } else {
            kept.push_back(std::move(operations_[i]));
        }
    }
    operations_ = std::move(kept);
}

}  // namespace stele::store
