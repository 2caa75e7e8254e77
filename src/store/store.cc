#include "store/store.h"

#include <absl/container/flat_hash_set.h>

#include <iterator>
#include <utility>

namespace stele::store {

void WriteBatch::put(std::string key, std::string value) {
    bytes_ += key.size() + value.size();
    operations_.push_back({Operation::Kind::kPut, std::move(key), std::move(value)});
}

void WriteBatch::erase(std::string key) {
    bytes_ += key.size();
    operations_.push_back({Operation::Kind::kErase, std::move(key), {}});
}

void WriteBatch::erase_range(std::string begin, std::string end) {
    bytes_ += begin.size() + end.size();
    operations_.push_back({Operation::Kind::kEraseRange, std::move(begin), std::move(end)});
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
    absl::flat_hash_set<std::string_view> settled;
    settled.reserve(operations_.size());
    std::vector<bool> dropped(operations_.size());
    std::size_t count = 0;
    for (std::size_t i = operations_.size(); i-- > 0;) {
        // What a range erases depends on what came before it.
        if (operations_[i].kind == Operation::Kind::kEraseRange) return;
        if (settled.insert(operations_[i].key).second) continue;
        dropped[i] = true;
        ++count;
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
