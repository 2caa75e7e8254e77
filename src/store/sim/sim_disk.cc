#include "store/sim/sim_disk.h"

#include "base/check.h"
#include "base/probe.h"
#include "store/memory/memory_store.h"

#include <utility>

namespace stele::store {
namespace {

class EmptyCursor final : public Cursor {
public:
    bool valid() const override { return false; }
    std::string_view key() const override { return {}; }
    std::string_view value() const override { return {}; }
    void next() override {}
    absl::Status status() const override { return absl::OkStatus(); }
};

void copy_rows(Store& from, Store& to) {
    WriteBatch batch;
    for (const auto rows = from.scan("", "\xff"); rows->valid(); rows->next()) {
        batch.put(std::string(rows->key()), std::string(rows->value()));
    }
    STELE_CHECK(to.write(batch, Sync::kYes).ok(), "a memory store does not fail");
}

}  // namespace

class SimDisk::Handle final : public Store {
public:
    explicit Handle(SimDisk& disk) : disk_(&disk) {}
    ~Handle() override {
        if (disk_ != nullptr) disk_->handle_ = nullptr;
    }

    void detach() { disk_ = nullptr; }

    absl::Status write(const WriteBatch& batch, Sync sync) override {
        return disk_ == nullptr ? absl::OkStatus() : disk_->write(batch, sync);
    }

    absl::StatusOr<std::optional<std::string>> get(std::string_view key) override {
        if (disk_ == nullptr) return std::optional<std::string>();
        return disk_->visible_->get(key);
    }

    std::unique_ptr<Cursor> scan(std::string begin, std::string end) override {
        if (disk_ == nullptr) return std::make_unique<EmptyCursor>();
        return disk_->visible_->scan(std::move(begin), std::move(end));
    }

    std::unique_ptr<Cursor> scan_reverse(std::string begin, std::string end) override {
        if (disk_ == nullptr) return std::make_unique<EmptyCursor>();
        return disk_->visible_->scan_reverse(std::move(begin), std::move(end));
    }

private:
    SimDisk* disk_;
};

SimDisk::SimDisk() : visible_(make_memory_store()), durable_(make_memory_store()) {}

SimDisk::~SimDisk() { STELE_CHECK(handle_ == nullptr, "a store outlives its disk"); }

std::unique_ptr<Store> SimDisk::open() {
    STELE_CHECK(handle_ == nullptr, "the disk is in use by another process");
    heal();
    auto handle = std::make_unique<Handle>(*this);
    handle_ = handle.get();
    return handle;
}

void SimDisk::detach() {
    if (handle_ != nullptr) handle_->detach();
    handle_ = nullptr;
}

void SimDisk::kill_process() { detach(); }

std::size_t SimDisk::lose_power(env::SimRandom& random) {
    detach();
    std::size_t kept = random.below(unsynced_.size() + 1);
    if (STELE_FAULT("disk.loses-all-unsynced")) kept = 0;
    if (STELE_FAULT("disk.keeps-all-unsynced")) kept = unsynced_.size();
    STELE_PROBE_IF("disk.unsynced-lost", kept < unsynced_.size());
    const std::size_t lost = unsynced_.size() - kept;
    for (std::size_t i = 0; i < kept; ++i) {
        STELE_CHECK(durable_->write(unsynced_[i], Sync::kYes).ok(), "a memory store does not fail");
    }
    unsynced_.clear();
    visible_ = make_memory_store();
    copy_rows(*durable_, *visible_);
    return lost;
}

void SimDisk::fail_write(std::uint64_t count, Fate fate, absl::Status error) {
    STELE_CHECK(count > 0 && !error.ok(), "a failure needs a write and an error");
    failing_from_ = writes_ + count;
    fate_ = fate;
    error_ = std::move(error);
}

void SimDisk::heal() { failing_from_ = 0; }

absl::Status SimDisk::write(const WriteBatch& batch, Sync sync) {
    ++writes_;
    const bool fails = failing_from_ != 0 && writes_ >= failing_from_;
    if (fails && fate_ == Fate::kLost) return error_;
    STELE_RETURN_IF_ERROR(visible_->write(batch, sync));
    unsynced_.push_back(batch);
    if (fails) return error_;
    if (sync == Sync::kNo) return absl::OkStatus();
    for (const WriteBatch& synced : unsynced_) {
        STELE_RETURN_IF_ERROR(durable_->write(synced, Sync::kYes));
    }
    unsynced_.clear();
    return absl::OkStatus();
}

}  // namespace stele::store
