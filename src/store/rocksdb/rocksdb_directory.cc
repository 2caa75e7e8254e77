#include "store/rocksdb/rocksdb_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace stele::store {
namespace {

/// A file descriptor that closes itself.
class Descriptor {
public:
    Descriptor(const std::filesystem::path& path, int flags)
        : descriptor_(::open(path.c_str(), flags | O_CLOEXEC)) {}
    ~Descriptor() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return descriptor_; }

private:
    int descriptor_;
};

absl::Status directory_error(const std::filesystem::path& directory, const std::string& reason) {
    return failed_precondition("cannot create data directory " + directory.string() + ": " +
                               reason);
}

bool held_by_this_process(const rocksdb::Status& status) {
    return status.ToString().find("current process") != std::string::npos;
}

/// The process that holds the lock file, or 0 when the system does not say.
pid_t holder_of(const std::filesystem::path& lock_file) {
    const Descriptor file(lock_file, O_RDWR);
    if (file.get() < 0) return 0;
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
    return lock.l_pid;
}

}  // namespace

absl::Status make_directory(const std::filesystem::path& directory) {
    if (directory.empty()) return directory_error(directory, "the name is empty");
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::absolute(directory, error).parent_path();
    std::filesystem::create_directories(parent, error);
    if (error) return directory_error(directory, error.message());
    if (::mkdir(directory.c_str(), S_IRWXU) == 0) {
        // The new entry of the parent must survive a power loss as what is written inside does.
        const Descriptor entry(parent, O_RDONLY | O_DIRECTORY);
        if (entry.get() < 0 || ::fsync(entry.get()) != 0) {
            return directory_error(directory, std::strerror(errno));
        }
        return absl::OkStatus();
    }
    if (errno != EEXIST) return directory_error(directory, std::strerror(errno));
    if (!std::filesystem::is_directory(directory, error)) {
        return directory_error(directory, "a file of that name exists");
    }
    return absl::OkStatus();
}

absl::Status from_rocksdb(const rocksdb::Status& status, const std::string& directory) {
    if (status.ok()) return absl::OkStatus();
    const std::string message = "store in " + directory + ": " + status.ToString();
    if (status.IsCorruption()) return make_error(absl::StatusCode::kDataLoss, message);
    if (status.IsNoSpace()) return make_error(absl::StatusCode::kResourceExhausted, message);
    return internal_error(message);
}

bool is_lock_refusal(const rocksdb::Status& status) {
    return status.IsIOError() && (held_by_this_process(status) ||
                                  status.ToString().find("lock file") != std::string::npos);
}

absl::Status locked_by_other(const std::filesystem::path& directory,
                             const rocksdb::Status& status) {
    std::string owner = "another process";
    if (held_by_this_process(status)) {
        // Opening the lock file here would drop the lock that this process holds.
        owner = "this process";
    } else if (const pid_t pid = holder_of(directory / "LOCK"); pid != 0) {
        owner = "process " + std::to_string(pid);
    }
    return failed_precondition("data directory " + directory.string() + " is already open in " +
                               owner + "; a store has one server at a time");
}

}  // namespace stele::store
