#include "store/rocksdb/key_order.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace stele::store {
namespace {

static_assert(std::endian::native == std::endian::little,
              "words of a key are swapped to compare them");

class KeyOrder final : public rocksdb::Comparator {
public:
    const char* Name() const override { return rocksdb::BytewiseComparator()->Name(); }

    int Compare(const rocksdb::Slice& a, const rocksdb::Slice& b) const override {
        const std::size_t common = std::min(a.size(), b.size());
        std::size_t at = 0;
        for (; at + sizeof(std::uint64_t) <= common; at += sizeof(std::uint64_t)) {
            const std::uint64_t word_of_a = word(a.data() + at);
            const std::uint64_t word_of_b = word(b.data() + at);
            if (word_of_a != word_of_b)
                return __builtin_bswap64(word_of_a) < __builtin_bswap64(word_of_b) ? -1 : 1;
        }
        for (; at < common; ++at) {
            if (a[at] != b[at]) return byte(a[at]) < byte(b[at]) ? -1 : 1;
        }
        if (a.size() == b.size()) return 0;
        return a.size() < b.size() ? -1 : 1;
    }

    bool Equal(const rocksdb::Slice& a, const rocksdb::Slice& b) const override { return a == b; }

    // What the order is free to choose, RocksDB's own chooses.
    void FindShortestSeparator(std::string* start, const rocksdb::Slice& limit) const override {
        rocksdb::BytewiseComparator()->FindShortestSeparator(start, limit);
    }
    void FindShortSuccessor(std::string* key) const override {
        rocksdb::BytewiseComparator()->FindShortSuccessor(key);
    }
    bool IsSameLengthImmediateSuccessor(const rocksdb::Slice& key,
                                        const rocksdb::Slice& next) const override {
        return rocksdb::BytewiseComparator()->IsSameLengthImmediateSuccessor(key, next);
    }
    bool CanKeysWithDifferentByteContentsBeEqual() const override { return false; }

private:
    static std::uint64_t word(const char* bytes) {
        std::uint64_t value;
        std::memcpy(&value, bytes, sizeof(value));
        return value;
    }
    static unsigned char byte(char value) { return static_cast<unsigned char>(value); }
};

}  // namespace

const rocksdb::Comparator& key_order() {
    static const KeyOrder order;
    return order;
}

}  // namespace stele::store
