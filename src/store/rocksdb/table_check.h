#pragma once

#include <rocksdb/file_system.h>

#include <memory>

namespace stele::store {

/// The files of `below`, except that a table whose properties do not end as they must is refused when it is
/// opened. RocksDB looks at the end of that one block before it has checked its sum; where it is built with
/// assertions, one damaged bit there would end the process, which could not say which file is meant. All other
/// damage of a table is left to RocksDB, which finds it. Thread safe.
std::shared_ptr<rocksdb::FileSystem> with_checked_tables(
    std::shared_ptr<rocksdb::FileSystem> below);

}  // namespace stele::store
