#include "visibility/page_checksums.h"

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace stele::visibility {
namespace {

constexpr int kChecksumBytes = 8;
constexpr char kName[] = "stele-checked";

using Page = std::array<char, kPageBytes>;

/// Two sums of words, the second of which depends on their order, as in Fletcher's checksum. Every
/// change of a few bits changes them; nobody is kept from making a page that fits.
std::uint64_t checksum_of(const char* page) {
    std::uint32_t first = 1;
    std::uint32_t second = 0;
    for (int at = 0; at < kPageBytes - kChecksumBytes; at += 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, page + at, sizeof(word));
        first = (first + word) * 2'654'435'761U;
        second += first;
    }
    return std::uint64_t{first} << 32 | second;
}

bool is_whole(const char* page) {
    std::uint64_t found = 0;
    std::memcpy(&found, page + kPageBytes - kChecksumBytes, sizeof(found));
    return found == checksum_of(page);
}

/// A database file; behind it in the same memory stands the file of the system's own kind.
struct CheckedFile {
    sqlite3_file base;
};

sqlite3_file* below(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<CheckedFile*>(file) + 1);
}

int close_file(sqlite3_file* file) { return below(file)->pMethods->xClose(below(file)); }

/// Whether nothing of the page is in the file, as before the first write to it.
bool is_behind_end(sqlite3_file* file, sqlite3_int64 offset) {
    sqlite3_int64 size = 0;
    return below(file)->pMethods->xFileSize(below(file), &size) == SQLITE_OK && offset >= size;
}

int read_file(sqlite3_file* file, void* buffer, int amount, sqlite3_int64 offset) {
    constexpr int kSmallestPage = 512;
    const int read = below(file)->pMethods->xRead(below(file), buffer, amount, offset);
    if (amount < kSmallestPage) return read;  // fields of the header, which is read again as a page
    if (read == SQLITE_IOERR_SHORT_READ) {
        // SQLite would take what is missing for zeros.
        return is_behind_end(file, offset) ? read : SQLITE_IOERR_DATA;
    }
    if (read != SQLITE_OK) return read;
    // Pages of another size are those of a damaged header.
    const bool is_page = amount == kPageBytes && offset % kPageBytes == 0;
    return is_page && is_whole(static_cast<const char*>(buffer)) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int write_file(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
    if (amount != kPageBytes) {
        return below(file)->pMethods->xWrite(below(file), data, amount, offset);
    }
    Page page;
    std::memcpy(page.data(), data, page.size());
    const std::uint64_t checksum = checksum_of(page.data());
    std::memcpy(page.data() + kPageBytes - kChecksumBytes, &checksum, sizeof(checksum));
    return below(file)->pMethods->xWrite(below(file), page.data(), amount, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    return below(file)->pMethods->xTruncate(below(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
    return below(file)->pMethods->xSync(below(file), flags);
}
int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
    return below(file)->pMethods->xFileSize(below(file), size);
}
int lock_file(sqlite3_file* file, int level) {
    return below(file)->pMethods->xLock(below(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
    return below(file)->pMethods->xUnlock(below(file), level);
}
int check_reserved_lock(sqlite3_file* file, int* result) {
    return below(file)->pMethods->xCheckReservedLock(below(file), result);
}
int control_file(sqlite3_file* file, int operation, void* argument) {
    return below(file)->pMethods->xFileControl(below(file), operation, argument);
}
int sector_size(sqlite3_file* file) { return below(file)->pMethods->xSectorSize(below(file)); }
int characteristics(sqlite3_file* file) {
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}
int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
    return below(file)->pMethods->xShmMap(below(file), region, size, extend, memory);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
    return below(file)->pMethods->xShmLock(below(file), offset, count, flags);
}
void shared_barrier(sqlite3_file* file) { below(file)->pMethods->xShmBarrier(below(file)); }
int unmap_shared(sqlite3_file* file, int remove) {
    return below(file)->pMethods->xShmUnmap(below(file), remove);
}

/// Version 2: without what maps the file into memory, where nobody would look at checksums.
const sqlite3_io_methods kMethods = {2,
                                     close_file,
                                     read_file,
                                     write_file,
                                     truncate_file,
                                     sync_file,
                                     size_of_file,
                                     lock_file,
                                     unlock_file,
                                     check_reserved_lock,
                                     control_file,
                                     sector_size,
                                     characteristics,
                                     map_shared,
                                     lock_shared,
                                     shared_barrier,
                                     unmap_shared,
                                     nullptr,
                                     nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* flags_out) {
    // A copy of the system's own: what it finds in it is the same.
    static sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return system->xOpen(vfs, name, file, flags, flags_out);
    file->pMethods = nullptr;
    const int opened = system->xOpen(vfs, name, below(file), flags, flags_out);
    if (opened == SQLITE_OK) file->pMethods = &kMethods;
    return opened;
}

int register_checked_files() {
    const sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
    if (system == nullptr) return SQLITE_NOTFOUND;
    auto* const checked = new sqlite3_vfs(*system);  // for the rest of the process
    checked->zName = kName;
    checked->pNext = nullptr;
    checked->szOsFile = system->szOsFile + static_cast<int>(sizeof(CheckedFile));
    checked->xOpen = open_file;
    return sqlite3_vfs_register(checked, /*makeDflt=*/0);
}

}  // namespace

absl::StatusOr<const char*> checked_files() {
    static const int registered = register_checked_files();
    if (registered != SQLITE_OK) {
        return internal_error(std::string("SQLite takes no kind of files: ") +
                              sqlite3_errstr(registered));
    }
    return kName;
}

absl::Status reserve_checksums(sqlite3* handle) {
    int bytes = kChecksumBytes;
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes) != SQLITE_OK) {
        return internal_error("SQLite reserves no room in its pages");
    }
    return absl::OkStatus();
}

void remove_database(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm"}) {
        std::error_code ignored;
        std::filesystem::remove(path + suffix, ignored);
    }
}

}  // namespace stele::visibility
