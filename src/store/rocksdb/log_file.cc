#include "store/rocksdb/log_file.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace stele::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class LogFile final : public rocksdb::FSWritableFileOwnerWrapper {
public:
    LogFile(std::unique_ptr<FSWritableFile> opened, const std::string& zeros)
        : FSWritableFileOwnerWrapper(std::move(opened)), zeros_(zeros) {}

    IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
        zero_up_to(written_ + data.size(), options, debug);
        return count(data, FSWritableFileOwnerWrapper::Append(data, options, debug));
    }
    IOStatus Append(const Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo& verification,
                    IODebugContext* debug) override {
        zero_up_to(written_ + data.size(), options, debug);
        return count(data, FSWritableFileOwnerWrapper::Append(data, options, verification, debug));
    }
    /// RocksDB's own way to allocate ahead leaves blocks that the first write must convert.
    void PrepareWrite(std::size_t, std::size_t, const IOOptions&, IODebugContext*) override {}
    /// The file below takes the zeros for data.
    std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return written_; }

    IOStatus Close(const IOOptions& options, IODebugContext* debug) override {
        if (zeroing_) {
            const IOStatus cut = Truncate(written_, options, debug);
            if (!cut.ok()) return cut;
        }
        return FSWritableFileOwnerWrapper::Close(options, debug);
    }

private:
    /// Only makes syncs cheaper, so a disk that has no room for the zeros is not an error yet.
    void zero_up_to(std::uint64_t end, const IOOptions& options, IODebugContext* debug) {
        if (end <= zeroed_) return;
        zeroing_ = true;
        const std::uint64_t until = end - end % zeros_.size() + zeros_.size();
        zeroed_ =
            std::max(zeroed_, written_);  // behind it, where zeros could not be written before
        while (zeroed_ < until) {
            const std::size_t part = std::min<std::uint64_t>(zeros_.size(), until - zeroed_);
            const IOStatus done =
                PositionedAppend(Slice(zeros_.data(), part), zeroed_, options, debug);
            if (!done.ok()) return;
            zeroed_ += part;
        }
    }

    IOStatus count(const Slice& data, IOStatus appended) {
        if (appended.ok()) written_ += data.size();
        return appended;
    }

    const std::string& zeros_;
    std::uint64_t written_ = 0;
    std::uint64_t zeroed_ = 0;
    bool zeroing_ = false;  // zeros may stand behind what was written
};

class LogsZeroedAhead final : public rocksdb::FileSystemWrapper {
public:
    LogsZeroedAhead(std::shared_ptr<rocksdb::FileSystem> below, std::size_t zeroed_at_once)
        : FileSystemWrapper(std::move(below)), zeros_(zeroed_at_once, '\0') {}

    const char* Name() const override { return "stele logs zeroed ahead"; }

    IOStatus NewWritableFile(const std::string& file, const FileOptions& options,
                             std::unique_ptr<FSWritableFile>* result,
                             IODebugContext* debug) override {
        const IOStatus created = target()->NewWritableFile(file, options, result, debug);
        if (created.ok() && file.ends_with(".log")) {
            *result = std::make_unique<LogFile>(std::move(*result), zeros_);
        }
        return created;
    }

private:
    const std::string zeros_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> with_logs_zeroed_ahead(
    std::shared_ptr<rocksdb::FileSystem> below, std::size_t zeroed_at_once) {
    return std::make_shared<LogsZeroedAhead>(std::move(below), zeroed_at_once);
}

}  // namespace stele::store
