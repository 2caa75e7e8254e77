#pragma once

#include <rocksdb/file_system.h>

#include <memory>

namespace stele::store {

/// The files of `below`, except that no read ends before the file does: what is missing is read, or else
/// the read fails. RocksDB takes a short read of a log or a manifest for the end of what was written, and
/// would drop the rest in silence. A file that is read must not be cut short meanwhile. And no table is opened that
/// check_table refuses (table_check.h). Thread safe.
std::shared_ptr<rocksdb::FileSystem> with_whole_reads(std::shared_ptr<rocksdb::FileSystem> below);

}  // namespace stele::store
