#pragma once

#include "base/status.h"

#include <string>

struct sqlite3;

// Checksums for the pages of SQLite's database files, which have none of their own: a damaged byte would
// otherwise be told as somebody's workflow. Each page ends in the checksum of what comes before; it is
// made when the page is written to the file, and looked at when it is read. The write-ahead log beside the
// file has SQLite's own checksums.
namespace stele::visibility {

/// SQLite's name for files with checksums; registers it on the first call. Thread safe.
absl::StatusOr<const char*> checked_files();

/// Reserves room for the checksums in a database of `checked_files` before anything is in it. Of one
/// that has pages without them the first that is read is SQLITE_IOERR_DATA.
absl::Status reserve_checksums(sqlite3* handle);

/// Removes a database that nobody has open, with what stands beside it.
void remove_database(const std::string& path);

/// In bytes, of every database here.
inline constexpr int kPageBytes = 4096;

}  // namespace stele::visibility
