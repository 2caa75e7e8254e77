#pragma once

#include "store/store.h"
#include "tests/crash_points/damage.h"

#include <string>

// One byte of the files of the visibility index changed, or one file cut short, and what lists then say.
namespace stele::crash_points {

/// Judges damages of one index, each on files of its own in memory of the system. Not thread safe; after
/// a fork each process has its own directory.
class DamagedIndex {
public:
    /// An index with runs in its database, and more in its log, as a server that was killed leaves it.
    DamagedIndex();
    ~DamagedIndex();

    /// By the names that a damage of them has.
    const store::FaultDisk::Contents& golden() const { return golden_; }
    Verdict judge(const Damage& damage);
    /// Removes what this process has on the disk for it.
    void clean_up();

private:
    struct Answer {
        absl::Status status;
        std::string text;  // of a list, a list by an attribute, and a count
    };
    /// What a server says that starts on these files.
    Answer ask(const store::FaultDisk::Contents& files);
    void make_golden();
    std::string directory() const;

    std::string store_id_;
    std::string namespace_id_;
    std::unique_ptr<store::Store> store_;
    store::FaultDisk::Contents golden_;
    std::string expected_;
};

/// Whether a damage is one of an index.
bool is_of_index(const Damage& damage);

}  // namespace stele::crash_points
