#include "sim/scratch_file.h"

#include "base/check.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace stele::sim {
namespace {

/// Memory, where there is a file system of it: a seed writes often, and nothing for ever.
std::string scratch_place() {
    std::error_code error;
    const std::filesystem::path memory("/dev/shm");
    const bool usable = std::filesystem::is_directory(memory, error);
    return (usable ? memory : std::filesystem::temp_directory_path()) / "stele-sim-XXXXXX";
}

}  // namespace

ScratchFile::ScratchFile() : directory_(scratch_place()) {
    STELE_CHECK(mkdtemp(directory_.data()) != nullptr, "no place for a scratch file");
    path_ = directory_ + "/file";
}

ScratchFile::~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

}  // namespace stele::sim
