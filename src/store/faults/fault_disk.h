#pragma once

#include "store/rocksdb/rocksdb_store.h"
#include "store/store.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

// A disk in memory under a real RocksDB store. It knows of every file what was synced and what was
// only written, and of every name whether its directory was synced since. Each operation that
// changes something has a number: at any of them the power can be cut, or the operation can fail.
// RocksDB's work in the background is done between two writes of the store, on the same thread, so
// that the numbers mean the same in every run.
namespace stele::store {

class FaultFiles;

/// What a cut leaves of that which was not synced.
enum class Remains {
    kLost,    ///< nothing
    kKept,    ///< all
    kPrefix,  ///< the older operations, up to one of them
    kTorn,    ///< all, but of one write to each file only a part
};
const char* name_of(Remains remains);

/// How an operation fails.
enum class Failure {
    kIoError,     ///< nothing is done
    kDiskFull,    ///< nothing is done; of what takes room only
    kShortWrite,  ///< half of the bytes are written; of writes only
    kSyncError,   ///< what was to be synced is not, and never will be, although it can be read
};
const char* name_of(Failure failure);

/// How a read fails.
enum class ReadFailure {
    kIoError,    ///< nothing is read
    kShortRead,  ///< half of it is read, as if the file ended there
};
const char* name_of(ReadFailure failure);

enum class FileOperation { kCreate, kWrite, kTruncate, kSync, kRename, kDelete, kSyncDirectory };
const char* name_of(FileOperation operation);
/// Whether operations of this kind can fail in this way.
bool can_fail(FileOperation operation, Failure failure);

/// Not thread safe, but for what RocksDB does. Must outlive its stores.
class FaultDisk {
public:
    using Contents = std::map<std::string, std::string>;  // by path

    FaultDisk();
    ~FaultDisk();

    /// The store of the process that starts, in a directory that exists always. The one before must
    /// have been destroyed.
    absl::StatusOr<std::unique_ptr<Store>> open(const RocksDbOptions& options);
    static const std::filesystem::path& directory();

    /// The power is cut in operation `number`, 1 being the first of all; 0: never. Of this operation there may
    /// be left what may be left of one that is over and not synced.
    void cut_at(std::uint64_t number);
    /// Operation `number` fails; with `for_ever` so do all behind it that can fail so, until `heal`.
    void fail_at(std::uint64_t number, Failure failure, bool for_ever);
    /// The same for reads, which have numbers of their own.
    void fail_read_at(std::uint64_t number, ReadFailure failure, bool for_ever);
    void heal();
    /// Cuts the power now.
    void cut();
    /// Without power every operation fails, and a process can only be destroyed.
    bool has_power() const;
    /// Whether an operation or a read has failed as it was asked to.
    bool has_failed() const;
    /// The power comes back. `choice` decides where the prefix ends and what is torn.
    void restore(Remains remains, std::uint64_t choice);

    /// Operations so far, of all processes.
    std::uint64_t operations() const;
    struct Operation {
        FileOperation kind;
        std::string file;
    };
    /// Operation `number`.
    Operation operation(std::uint64_t number) const;
    /// The files of all reads so far, of all processes.
    std::vector<std::string> reads() const;

    /// Whether a thread is in the middle of an operation or a read. Anybody may ask at any time.
    bool is_busy() const;

    /// The files as a process sees them.
    Contents contents() const;
    /// Replaces all files; everything is synced.
    void load(const Contents& contents);

private:
    std::shared_ptr<FaultFiles> files_;
};

}  // namespace stele::store
