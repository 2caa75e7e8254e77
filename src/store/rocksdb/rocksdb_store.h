#pragma once

#include "store/format.h"
#include "store/store.h"

#include <cstddef>
#include <filesystem>
#include <memory>

namespace rocksdb {
class Env;
}

namespace stele::store {

/// Limits on what one store may take. The defaults keep a server below about 64 MiB.
struct RocksDbOptions {
    std::size_t block_cache_bytes = 16U << 20;
    /// Writes kept in memory before they are sorted into a file; at most two such tables exist.
    std::size_t write_buffer_bytes = 16U << 20;
    /// Bound on the write-ahead log, and so on the time that opening takes after a crash.
    std::size_t wal_bytes_max = 128U << 20;
    int open_files_max = 256;
    /// Not a limit: who hears of it when opening takes long.
    OpeningNotice notice = {};
};

/// Opens the store in a directory, which is created (mode 0700, files 0600) when it is not there,
/// with its parents. FAILED_PRECONDITION, with the directory and the reason, when another process
/// has it open, when it is not a Stele store or has a format version that this build does not know;
/// otherwise what RocksDB says. Thread safe; the destructor closes the directory.
absl::StatusOr<std::unique_ptr<Store>> open_rocksdb_store(const std::filesystem::path& directory,
                                                          const RocksDbOptions& options = {});

/// The same in an environment of the caller's, which decides what files are and when work in the
/// background is done: for tests whose disks fail. It has the directory already.
absl::StatusOr<std::unique_ptr<Store>> open_rocksdb_store_in(
    std::unique_ptr<rocksdb::Env> environment, const std::filesystem::path& directory,
    const RocksDbOptions& options = {});

}  // namespace stele::store
