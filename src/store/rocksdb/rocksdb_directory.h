#pragma once

#include "base/status.h"

#include <rocksdb/status.h>

#include <filesystem>
#include <string>

// The directory around a RocksDB store, and RocksDB's errors in our words. Pure or thread safe.
namespace stele::store {

/// Makes the directory with mode 0700, and its parents as the umask says. One that exists is left
/// as it is.
absl::Status make_directory(const std::filesystem::path& directory);

/// OK, or the error with the directory in front of its text.
absl::Status from_rocksdb(const rocksdb::Status& status, const std::string& directory);

/// Whether opening failed because somebody else has the directory open.
bool is_lock_refusal(const rocksdb::Status& status);
/// FAILED_PRECONDITION that names the directory and, where the system tells, the process.
absl::Status locked_by_other(const std::filesystem::path& directory, const rocksdb::Status& status);

}  // namespace stele::store
