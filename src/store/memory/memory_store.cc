#include "store/memory/memory_store.h"

#include "base/check.h"
#include "env/mutex.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace stele::store {
namespace {

using Sequence = std::uint64_t;

/// What a key held from the moment of one write on; no value means that it was erased.
struct Version {
    Sequence sequence;
    std::optional<std::string> value;
};

/// Versions of all keys, oldest first for each. Not thread safe.
class Versions {
public:
    using Rows = std::map<std::string, std::vector<Version>, std::less<>>;

    void apply(const WriteBatch& batch);

    const std::optional<std::string>* newest(std::string_view key) const;
    /// What the row held at a moment; null when it did not exist yet.
    static const std::optional<std::string>* at(const Rows::value_type& row, Sequence moment);

    /// From now on until `release`, what can be seen at the returned moment is kept. Nodes of
    /// `rows()` stay where they are while anybody holds a moment.
    Sequence hold();
    void release();
    const Rows& rows() const { return rows_; }

private:
    void set(const std::string& key, std::optional<std::string> value);
    void erase_range(const std::string& begin, const std::string& end);

    Rows rows_;
    Sequence sequence_ = 0;
    int holders_ = 0;
    std::set<std::string> to_clean_;  // keys with versions that only holders need
};

void Versions::apply(const WriteBatch& batch) {
    ++sequence_;
    for (const WriteBatch::Operation& operation : batch.operations()) {
        switch (operation.kind) {
            case WriteBatch::Operation::Kind::kPut: set(operation.key, operation.value); break;
            case WriteBatch::Operation::Kind::kErase: set(operation.key, std::nullopt); break;
            case WriteBatch::Operation::Kind::kEraseRange:
                erase_range(operation.key, operation.value);
                break;
        }
    }
}

void Versions::set(const std::string& key, std::optional<std::string> value) {
    if (holders_ == 0) {
        if (!value) {
            rows_.erase(key);
            return;
        }
        std::vector<Version>& versions = rows_[key];
        versions.clear();
        versions.push_back({sequence_, std::move(value)});
        return;
    }
    const auto place = value ? rows_.try_emplace(key).first : rows_.find(key);
    if (place == rows_.end()) return;
    place->second.push_back({sequence_, std::move(value)});
    if (place->second.size() > 1 || !place->second.back().value) to_clean_.insert(key);
}

void Versions::erase_range(const std::string& begin, const std::string& end) {
    if (begin >= end) return;
    const auto first = rows_.lower_bound(begin);
    const auto last = rows_.lower_bound(end);
    if (holders_ == 0) {
        rows_.erase(first, last);
        return;
    }
    for (auto row = first; row != last; ++row) {
        row->second.push_back({sequence_, std::nullopt});
        to_clean_.insert(row->first);
    }
}

const std::optional<std::string>* Versions::newest(std::string_view key) const {
    const auto row = rows_.find(key);
    return row == rows_.end() ? nullptr : &row->second.back().value;
}

const std::optional<std::string>* Versions::at(const Rows::value_type& row, Sequence moment) {
    for (auto version = row.second.rbegin(); version != row.second.rend(); ++version) {
        if (version->sequence <= moment) return &version->value;
    }
    return nullptr;
}

Sequence Versions::hold() {
    ++holders_;
    return sequence_;
}

void Versions::release() {
    if (--holders_ > 0) return;
    for (const std::string& key : to_clean_) {
        const auto row = rows_.find(key);
        if (row->second.back().value) {
            row->second.erase(row->second.begin(), row->second.end() - 1);
        } else {
            rows_.erase(row);
        }
    }
    to_clean_.clear();
}

/// Shared with the cursors.
struct Contents {
    env::Mutex mutex;
    Versions versions STELE_GUARDED_BY(mutex);
};

enum class Direction { kForward, kReverse };

class MemoryCursor final : public Cursor {
public:
    MemoryCursor(Contents& contents, std::string begin, std::string end, Direction direction)
        : contents_(contents),
          begin_(std::move(begin)),
          end_(std::move(end)),
          direction_(direction) {
        env::MutexLock lock(contents_.mutex);
        moment_ = contents_.versions.hold();
        const Versions::Rows& rows = contents_.versions.rows();
        place_ = rows.lower_bound(direction == Direction::kForward ? begin_ : end_);
        if (begin_ >= end_) return;
        if (direction == Direction::kForward) {
            settle();
        } else {
            step_back();
        }
    }

    ~MemoryCursor() override {
        env::MutexLock lock(contents_.mutex);
        contents_.versions.release();
    }

    bool valid() const override { return valid_; }
    std::string_view key() const override { return key_; }
    std::string_view value() const override { return value_; }
    absl::Status status() const override { return absl::OkStatus(); }

    void next() override {
        STELE_CHECK(valid_, "next() on a cursor at its end");
        env::MutexLock lock(contents_.mutex);
        if (direction_ == Direction::kForward) {
            ++place_;
            settle();
        } else {
            step_back();
        }
    }

private:
    /// Takes the first row at or behind `place_` that the cursor's moment can see.
    void settle() STELE_REQUIRES(contents_.mutex) {
        valid_ = false;
        const Versions::Rows& rows = contents_.versions.rows();
        for (; place_ != rows.end() && place_->first < end_; ++place_) {
            if (take()) return;
        }
    }

    /// The same for the rows before `place_`.
    void step_back() STELE_REQUIRES(contents_.mutex) {
        valid_ = false;
        const Versions::Rows& rows = contents_.versions.rows();
        while (place_ != rows.begin()) {
            --place_;
            if (place_->first < begin_) return;
            if (take()) return;
        }
    }

    bool take() STELE_REQUIRES(contents_.mutex) {
        const std::optional<std::string>* value = Versions::at(*place_, moment_);
        if (value == nullptr || !*value) return false;
        key_ = place_->first;
        value_ = **value;  // copied: a later write may move the versions of the row
        valid_ = true;
        return true;
    }

    Contents& contents_;
    const std::string begin_;
    const std::string end_;
    const Direction direction_;
    Sequence moment_ = 0;
    Versions::Rows::const_iterator place_;
    bool valid_ = false;
    std::string_view key_;
    std::string value_;
};

class MemoryStore final : public Store {
public:
    absl::Status write(const WriteBatch& batch, Sync) override {
        env::MutexLock lock(contents_.mutex);
        contents_.versions.apply(batch);
        return absl::OkStatus();
    }

    absl::StatusOr<std::optional<std::string>> get(std::string_view key) override {
        env::MutexLock lock(contents_.mutex);
        const std::optional<std::string>* value = contents_.versions.newest(key);
        if (value == nullptr) return std::optional<std::string>();
        return *value;
    }

    std::unique_ptr<Cursor> scan(std::string begin, std::string end) override {
        return std::make_unique<MemoryCursor>(contents_, std::move(begin), std::move(end),
                                              Direction::kForward);
    }

    std::unique_ptr<Cursor> scan_reverse(std::string begin, std::string end) override {
        return std::make_unique<MemoryCursor>(contents_, std::move(begin), std::move(end),
                                              Direction::kReverse);
    }

private:
    Contents contents_;
};

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace stele::store
