#include "store/rocksdb/key_prefix.h"

#include "store/key_codec.h"
#include "store/keys.h"

#include <string>

namespace stele::store {
namespace {

/// The letter of the table, the run key and the slot.
constexpr std::size_t kRunPrefixBytes = 11;

bool is_of_run(std::string_view key) {
    if (key.size() < kRunPrefixBytes) return false;
    const auto table = static_cast<Table>(key.front());
    return table == Table::kState || table == Table::kEvents;
}

bool is_looked_up(std::string_view key) {
    if (key.empty()) return false;
    const auto table = static_cast<Table>(key.front());
    return table == Table::kCurrent || table == Table::kRun;
}

class KeyPrefix final : public rocksdb::SliceTransform {
public:
    const char* Name() const override { return "stele.RunOrKey.1"; }

    rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
        return is_of_run(key.ToStringView()) ? rocksdb::Slice(key.data(), kRunPrefixBytes) : key;
    }
    bool InDomain(const rocksdb::Slice& key) const override {
        return is_of_run(key.ToStringView()) || is_looked_up(key.ToStringView());
    }
};

class InsertionHint final : public rocksdb::SliceTransform {
public:
    const char* Name() const override { return "stele.InsertionHint"; }

    rocksdb::Slice Transform(const rocksdb::Slice& key) const override {
        return {key.data(), kRunPrefixBytes};
    }
    bool InDomain(const rocksdb::Slice& key) const override {
        return has_insertion_hint(key.ToStringView());
    }
};

}  // namespace

std::shared_ptr<const rocksdb::SliceTransform> key_prefix() {
    static const auto prefix = std::make_shared<const KeyPrefix>();
    return prefix;
}

std::shared_ptr<const rocksdb::SliceTransform> insertion_hint() {
    static const auto hint = std::make_shared<const InsertionHint>();
    return hint;
}

bool has_insertion_hint(std::string_view key) {
    return is_of_run(key) && key.size() > kRunPrefixBytes;
}

bool is_range_of_one_run(std::string_view begin, std::string_view end) {
    if (!is_of_run(begin)) return false;
    const std::string_view run = begin.substr(0, kRunPrefixBytes);
    return end.starts_with(run) || end == prefix_end(std::string(run));
}

}  // namespace stele::store
