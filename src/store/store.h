#pragma once

#include "base/status.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// An ordered map from bytes to bytes with atomic batches: the only thing that the engine asks of a
// database. RocksDB and memory stand behind it; any ordered store could.
namespace stele::store {

/// Changes that are applied together or not at all, in order. A plain value.
class WriteBatch {
public:
    struct Operation {
        enum class Kind { kPut, kErase, kEraseRange };
        Kind kind;
        std::string key;
        std::string value;  // kEraseRange: the end of the range, itself left alone
        bool is_new = false;  // see put_new
    };

    void put(std::string key, std::string value);
    /// Puts a key that nothing before this operation has left in the store, so that an erasure in the
    /// same write makes both void. Correct only if that is so.
    void put_new(std::string key, std::string value);
    void erase(std::string key);
    /// Erases every key in [begin, end).
    void erase_range(std::string begin, std::string end);
    /// Adds the operations of another batch behind those of this one.
    void append(WriteBatch other);
    /// Drops what a later operation on the same key makes void, and the erasure of what is new. The
    /// outcome stays the same.
    void drop_overwritten();

    bool empty() const { return operations_.empty(); }
    /// Bytes of all keys and values.
    std::size_t bytes() const { return bytes_; }
    const std::vector<Operation>& operations() const { return operations_; }

private:
    void add(Operation operation);

    std::vector<Operation> operations_;
    std::size_t bytes_ = 0;
};

/// A forward read over a range of keys, as of the moment when it was made.
/// Not thread safe; must not outlive the store.
class Cursor {
public:
    virtual ~Cursor() = default;
    virtual bool valid() const = 0;
    virtual std::string_view key() const = 0;
    virtual std::string_view value() const = 0;
    virtual void next() = 0;
    /// The error that ended the scan early, or OK.
    virtual absl::Status status() const = 0;
};

enum class Sync { kNo, kYes };

/// Thread safe. Reads see every write that has returned.
class Store {
public:
    virtual ~Store() = default;

    /// Applies a batch. With Sync::kYes it and everything written before it are on stable storage
    /// when this returns OK. After any error the content is unknown and the caller must give up.
    virtual absl::Status write(const WriteBatch& batch, Sync sync) = 0;

    /// The value of a key, or nullopt when there is none.
    virtual absl::StatusOr<std::optional<std::string>> get(std::string_view key) = 0;

    /// Keys in [begin, end), ascending.
    virtual std::unique_ptr<Cursor> scan(std::string begin, std::string end) = 0;
    /// Keys in [begin, end), descending.
    virtual std::unique_ptr<Cursor> scan_reverse(std::string begin, std::string end) = 0;
};

}  // namespace stele::store
