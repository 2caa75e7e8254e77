#pragma once

#include <rocksdb/comparator.h>

namespace stele::store {

/// The order of keys in the store: that of their bytes, exactly RocksDB's own and under its name, so that files of
/// either can be read with the other. It compares eight bytes at a time in place of a call to `memcmp`, which pays
/// because most keys of neighbours in the memory table begin alike. Lives as long as the process; thread safe.
const rocksdb::Comparator& key_order();

}  // namespace stele::store
