#pragma once

#include <rocksdb/file_system.h>

#include <cstdint>
#include <string>

namespace stele::store {

/// Corruption, with the file and the byte, where the properties of a table do not end as they must. RocksDB looks
/// at the end of that one block before it has checked its sum; where it is built with assertions, one damaged
/// bit there would end the process, which could not say which file is meant. All other damage is left to RocksDB,
/// which finds it: OK then, also where the file is no table at all.
rocksdb::IOStatus check_table(const std::string& name, const rocksdb::FSRandomAccessFile& file,
                              std::uint64_t bytes);

}  // namespace stele::store
