#pragma once

#include <string>

namespace stele::sim {

/// A place for a file outside of the simulation, of this process alone; nothing is there at first.
/// What is there at the end, and beside it, is removed. Not thread safe.
class ScratchFile {
public:
    ScratchFile();
    ~ScratchFile();
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string directory_;
    std::string path_;
};

}  // namespace stele::sim
