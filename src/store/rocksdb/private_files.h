#pragma once

#include <rocksdb/file_system.h>

#include <memory>

namespace stele::store {

/// RocksDB's usual files, except that every file which it creates gets mode 0600. (The
/// setting that RocksDB has for this does not reach its files in version 7.8.) Thread safe.
std::shared_ptr<rocksdb::FileSystem> make_private_files();

}  // namespace stele::store
