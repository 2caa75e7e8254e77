#pragma once

#include <rocksdb/env.h>

#include <memory>

namespace stele::store {

/// RocksDB's usual environment, except that every file which it creates gets mode 0600. (The
/// setting that RocksDB has for this does not reach its files in version 7.8.) Thread safe.
std::unique_ptr<rocksdb::Env> make_private_files();

}  // namespace stele::store
