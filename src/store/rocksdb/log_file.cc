#include "store/rocksdb/log_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace stele::store {
namespace {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

/// Zeros are written by so many bytes: few enough to fit into a sync that somebody waits for.
constexpr std::uint64_t kZeroedAtOnce = 1U << 20;

class LogFile final : public rocksdb::FSWritableFileOwnerWrapper {
public:
    LogFile(std::string file, std::unique_ptr<FSWritableFile> opened)
        : FSWritableFileOwnerWrapper(std::move(opened)),
          file_(std::move(file)),
          descriptor_(::open(file_.c_str(), O_WRONLY | O_CLOEXEC)) {}
    ~LogFile() override {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
        zero_up_to(written_ + data.size());
        return count(data, FSWritableFileOwnerWrapper::Append(data, options, debug));
    }
    IOStatus Append(const Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo& verification,
                    IODebugContext* debug) override {
        zero_up_to(written_ + data.size());
        return count(data, FSWritableFileOwnerWrapper::Append(data, options, verification, debug));
    }
    /// RocksDB's own way to allocate ahead leaves blocks that the first write must convert.
    void PrepareWrite(std::size_t, std::size_t, const IOOptions&, IODebugContext*) override {}

    IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
        if (zeroed_ > written_ && ::ftruncate(descriptor_, static_cast<off_t>(written_)) != 0) {
            return IOStatus::IOError("truncate " + file_, std::strerror(errno));
        }
        return FSWritableFileOwnerWrapper::Close(options, debug);
    }

private:
    /// Only makes syncs cheaper, so a disk that has no room for the zeros is not an error yet.
    void zero_up_to(std::uint64_t end) {
        static const std::string zeros(kZeroedAtOnce, '\0');
        if (descriptor_ < 0 || end <= zeroed_) return;
        const std::uint64_t until = end - end % kZeroedAtOnce + kZeroedAtOnce;
        zeroed_ = std::max(zeroed_, written_);  // behind it, where zeros could not be written before
        while (zeroed_ < until) {
            const std::size_t part = std::min<std::uint64_t>(zeros.size(), until - zeroed_);
            const ssize_t done =
                ::pwrite(descriptor_, zeros.data(), part, static_cast<off_t>(zeroed_));
            if (done <= 0) return;
            zeroed_ += static_cast<std::uint64_t>(done);
        }
    }

    IOStatus count(const Slice& data, IOStatus appended) {
        if (appended.ok()) written_ += data.size();
        return appended;
    }

    const std::string file_;
    const int descriptor_;
    std::uint64_t written_ = 0;
    std::uint64_t zeroed_ = 0;
};

}  // namespace

bool is_log_file(const std::string& file) { return file.ends_with(".log"); }

std::unique_ptr<FSWritableFile> make_log_file(const std::string& file,
                                              std::unique_ptr<FSWritableFile> opened) {
    return std::make_unique<LogFile>(file, std::move(opened));
}

}  // namespace stele::store
