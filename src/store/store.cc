#include "store/store.h"

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

}  // namespace stele::store
