#pragma once

#include "store/store.h"

#include <memory>
#include <utility>

namespace stele::store {

/// Passes every call on to another store: the base of those that tests and the simulator put in front of
/// one to see or to change what is written.
class ForwardingStore : public Store {
public:
    explicit ForwardingStore(std::unique_ptr<Store> inner)
        : owned_(std::move(inner)), inner_(*owned_) {}
    /// The store must outlive this one.
    explicit ForwardingStore(Store& inner) : inner_(inner) {}

    absl::Status write(const WriteBatch& batch, Sync sync) override {
        return inner_.write(batch, sync);
    }
    absl::StatusOr<std::optional<std::string>> get(std::string_view key) override {
        return inner_.get(key);
    }
    std::unique_ptr<Cursor> scan(std::string begin, std::string end) override {
        return inner_.scan(std::move(begin), std::move(end));
    }
    std::unique_ptr<Cursor> scan_reverse(std::string begin, std::string end) override {
        return inner_.scan_reverse(std::move(begin), std::move(end));
    }

private:
    const std::unique_ptr<Store> owned_;
    Store& inner_;
};

}  // namespace stele::store
