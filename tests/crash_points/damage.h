#pragma once

#include "store/faults/fault_disk.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// One byte of a store's files changed, or one file cut short, and what opening and reading all of it
// then gives.
namespace stele::crash_points {

struct Damage {
    enum class Kind { kFlip, kTruncation };
    std::string file;
    Kind kind = Kind::kFlip;
    /// The byte that is inverted, or the length that is left.
    std::uint64_t offset = 0;
};

enum class Effect {
    kNone,       ///< every row is there, as it was
    kError,      ///< an error that names the file
    kTail,       ///< the end of the log is missing, as after a cut before the last sync
    kViolation,  ///< anything else
};

struct Verdict {
    Effect effect = Effect::kNone;
    std::string text;  // the error, or what is wrong
};

/// Judges damages of one store. Not thread safe.
class DamagedStore {
public:
    /// `golden` is what a process that was killed has left.
    explicit DamagedStore(store::FaultDisk::Contents golden);

    const store::FaultDisk::Contents& golden() const { return golden_; }
    Verdict judge(const Damage& damage);

private:
    /// All rows as text after opening these files.
    absl::StatusOr<std::string> read(const store::FaultDisk::Contents& contents);

    const store::FaultDisk::Contents golden_;
    std::string rows_;
    std::string log_;                 // the file that is written last
    std::vector<std::string> tails_;  // rows that the damaged end of the log may leave
};

/// The files with the damage done to them.
store::FaultDisk::Contents damaged(store::FaultDisk::Contents contents, const Damage& damage);

/// A store of a few kilobytes with all kinds of files: a table, a log with rows, and what names them.
store::FaultDisk::Contents golden_store();

}  // namespace stele::crash_points
