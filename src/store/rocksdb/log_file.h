#pragma once

#include <rocksdb/file_system.h>

#include <memory>
#include <string>

namespace stele::store {

/// True for a write-ahead log of RocksDB.
bool is_log_file(const std::string& file);

/// A write-ahead log whose blocks are on the disk before they are written: zeros stand in front of
/// its end, a piece at a time. A sync that finds neither a new length nor a new block has only the
/// data to write, and takes a third less time. RocksDB takes zeros for the end of what was written;
/// closing the file cuts them off.
std::unique_ptr<rocksdb::FSWritableFile> make_log_file(
    const std::string& file, std::unique_ptr<rocksdb::FSWritableFile> opened);

}  // namespace stele::store
