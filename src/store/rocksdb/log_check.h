#pragma once

#include "base/status.h"

#include <rocksdb/env.h>

#include <string>
#include <string_view>

// Whether the write-ahead logs of a store have lost what was acknowledged. RocksDB reads a log up to
// the first record that is not whole, because that is how a log ends when the power is lost before a
// sync. It can not tell this from a record that was on the disk and has been damaged since, and drops
// in silence what follows. So each write leaves a note in the log that the rows do not show: which
// opening of the store made it, and whether all before it had been synced. A note of that kind behind
// a record that is not whole tells that the disk has lost something.
//
// What comes behind the last such note, which is the last write or the writes since the last sync,
// can not be told from a torn end, nor can a log that was cut short.
namespace stele::store {

/// The note of a write. `opening` is RocksDB's name for the opening.
std::string log_note(std::string_view opening, bool all_before_synced);

/// DATA_LOSS with the file and the offset when a log of this directory is damaged in front of what
/// shows that it was whole; OK when there is no directory.
absl::Status check_logs(rocksdb::Env& environment, const std::string& directory);

}  // namespace stele::store
