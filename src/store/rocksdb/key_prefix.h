#pragma once

#include <rocksdb/slice_transform.h>

#include <memory>
#include <string_view>

// What the filters of RocksDB's files hold, so that a look-up reads no file that cannot have an answer: of the state and
// the events of a run one entry, of current and run rows the keys, and nothing of the tables in which no key is looked
// for. Filters of all keys would not fit into the cache of a store of a few GiB.
namespace stele::store {

/// Stands in the files under its name: change what it does only together with that. Thread safe.
std::shared_ptr<const rocksdb::SliceTransform> key_prefix();

/// What rows have in common that stand near one another in the memory table, which is those of one run: RocksDB begins
/// to look for a row's place where it has put the last of them. Thread safe.
std::shared_ptr<const rocksdb::SliceTransform> insertion_hint();

/// Whether a row with this key is put in with a hint. RocksDB takes the hint for the erasure of a range as well, which
/// stands in a list of its own, and then links the two lists: no such range may begin at one of these keys.
bool has_insertion_hint(std::string_view key);

/// All keys in [begin, end) are of one run and one table, so that a scan may ask the filters for them.
bool is_range_of_one_run(std::string_view begin, std::string_view end);

}  // namespace stele::store
