#include "store/faults/fault_disk.h"

#include "store/faults/fault_files.h"
#include "store/faults/inline_environment.h"
#include "store/forwarding_store.h"
#include "store/rocksdb/log_file.h"
#include "store/rocksdb/whole_reads.h"

#include <utility>

namespace stele::store {
namespace {

/// Small, so that a scenario of a few writes crosses the end of the zeros in front of a log.
constexpr std::size_t kZeroedAtOnceHere = 4096;

/// Does RocksDB's work in the background after each write.
class SettlingStore final : public ForwardingStore {
public:
    SettlingStore(std::unique_ptr<Store> inner, InlineEnvironment& environment)
        : ForwardingStore(std::move(inner)), environment_(environment) {}

    absl::Status write(const WriteBatch& batch, Sync sync) override {
        absl::Status written = ForwardingStore::write(batch, sync);
        environment_.run_scheduled();
        return written;
    }

private:
    InlineEnvironment& environment_;  // the inner store's own
};

}  // namespace

const char* name_of(Remains remains) {
    switch (remains) {
        case Remains::kLost: return "lost";
        case Remains::kKept: return "kept";
        case Remains::kPrefix: return "prefix";
        case Remains::kTorn: return "torn";
    }
    return "unknown";
}

const char* name_of(Failure failure) {
    switch (failure) {
        case Failure::kIoError: return "io-error";
        case Failure::kDiskFull: return "disk-full";
        case Failure::kShortWrite: return "short-write";
        case Failure::kSyncError: return "sync-error";
    }
    return "unknown";
}

const char* name_of(FileOperation operation) {
    switch (operation) {
        case FileOperation::kCreate: return "create";
        case FileOperation::kWrite: return "write";
        case FileOperation::kTruncate: return "truncate";
        case FileOperation::kSync: return "sync";
        case FileOperation::kRename: return "rename";
        case FileOperation::kDelete: return "delete";
        case FileOperation::kSyncDirectory: return "sync of directory";
    }
    return "unknown";
}

const char* name_of(ReadFailure failure) {
    switch (failure) {
        case ReadFailure::kIoError: return "io-error";
        case ReadFailure::kShortRead: return "short-read";
    }
    return "unknown";
}

bool can_fail(FileOperation operation, Failure failure) {
    const bool is_sync =
        operation == FileOperation::kSync || operation == FileOperation::kSyncDirectory;
    switch (failure) {
        case Failure::kIoError: return !is_sync;
        case Failure::kDiskFull:
            return operation == FileOperation::kWrite || operation == FileOperation::kCreate ||
                   operation == FileOperation::kRename;
        case Failure::kShortWrite: return operation == FileOperation::kWrite;
        case Failure::kSyncError: return is_sync;
    }
    return false;
}

FaultDisk::FaultDisk() : files_(std::make_shared<FaultFiles>()) {}
FaultDisk::~FaultDisk() = default;

const std::filesystem::path& FaultDisk::directory() {
    static const std::filesystem::path kDirectory = "/data";
    return kDirectory;
}

absl::StatusOr<std::unique_ptr<Store>> FaultDisk::open(const RocksDbOptions& options) {
    auto environment = std::make_unique<InlineEnvironment>(
        with_whole_reads(with_logs_zeroed_ahead(files_, kZeroedAtOnceHere)));
    InlineEnvironment& scheduler = *environment;
    STELE_ASSIGN_OR_RETURN(std::unique_ptr<Store> store,
                           open_rocksdb_store_in(std::move(environment), directory(), options));
    scheduler.run_scheduled();
    return std::make_unique<SettlingStore>(std::move(store), scheduler);
}

void FaultDisk::cut_at(std::uint64_t number) { files_->cut_at(number); }
void FaultDisk::fail_at(std::uint64_t number, Failure failure, bool for_ever) {
    files_->fail_at(number, failure, for_ever);
}
void FaultDisk::fail_read_at(std::uint64_t number, ReadFailure failure, bool for_ever) {
    files_->fail_read_at(number, failure, for_ever);
}
void FaultDisk::heal() { files_->heal(); }
void FaultDisk::cut() { files_->cut(); }
bool FaultDisk::has_power() const { return files_->has_power(); }
bool FaultDisk::has_failed() const { return files_->has_failed(); }
void FaultDisk::restore(Remains remains, std::uint64_t choice) { files_->restore(remains, choice); }
std::uint64_t FaultDisk::operations() const { return files_->operations(); }
FaultDisk::Operation FaultDisk::operation(std::uint64_t number) const {
    return files_->operation(number);
}
std::vector<std::string> FaultDisk::reads() const { return files_->reads(); }
bool FaultDisk::is_busy() const { return files_->is_busy(); }
FaultDisk::Contents FaultDisk::contents() const { return files_->contents(); }
void FaultDisk::load(const Contents& contents) { files_->load(contents); }

}  // namespace stele::store
