#include "store/rocksdb/whole_reads.h"

#include "store/rocksdb/table_check.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

namespace stele::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSRandomAccessFile;
using rocksdb::FSSequentialFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

/// What one file must give: as much as it had when it was opened.
struct Whole {
    std::string file;
    std::uint64_t bytes = 0;

    /// Reads on behind what a first read has given, with `read(offset, size, result, scratch)`.
    template <typename Read>
    IOStatus complete(std::uint64_t offset, std::size_t size, Slice* result, char* scratch,
                      Read read) const {
        const std::uint64_t there = offset >= bytes ? 0 : bytes - offset;
        const std::size_t wanted = std::min<std::uint64_t>(size, there);
        std::size_t found = result->size();
        if (found >= wanted) return IOStatus::OK();
        std::memmove(scratch, result->data(), found);
        while (found < wanted) {
            Slice more;
            const IOStatus status = read(offset + found, wanted - found, &more, scratch + found);
            if (!status.ok()) return status;
            if (more.empty()) {
                *result = Slice(scratch, 0);
                return IOStatus::IOError(file, "ends at byte " + std::to_string(offset + found) +
                                                   " of " + std::to_string(bytes) +
                                                   ": a read came short");
            }
            std::memmove(scratch + found, more.data(), more.size());
            found += more.size();
        }
        *result = Slice(scratch, found);
        return IOStatus::OK();
    }
};

class SequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
public:
    SequentialFile(std::unique_ptr<FSSequentialFile> opened, Whole whole)
        : FSSequentialFileOwnerWrapper(std::move(opened)), whole_(std::move(whole)) {}

    IOStatus Read(std::size_t size, const IOOptions& options, Slice* result, char* scratch,
                  IODebugContext* debug) override {
        IOStatus status = FSSequentialFileOwnerWrapper::Read(size, options, result, scratch, debug);
        if (!status.ok()) return status;
        status = whole_.complete(at_, size, result, scratch,
                                 [&](std::uint64_t, std::size_t left, Slice* more, char* into) {
                                     return FSSequentialFileOwnerWrapper::Read(left, options, more,
                                                                               into, debug);
                                 });
        at_ += result->size();
        return status;
    }
    IOStatus Skip(std::uint64_t size) override {
        at_ += size;
        return FSSequentialFileOwnerWrapper::Skip(size);
    }

private:
    const Whole whole_;
    std::uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
public:
    RandomAccessFile(std::unique_ptr<FSRandomAccessFile> opened, Whole whole)
        : FSRandomAccessFileOwnerWrapper(std::move(opened)), whole_(std::move(whole)) {}

    IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions& options, Slice* result,
                  char* scratch, IODebugContext* debug) const override {
        const IOStatus status =
            FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, debug);
        if (!status.ok()) return status;
        return whole_.complete(offset, size, result, scratch,
                               [&](std::uint64_t from, std::size_t left, Slice* more, char* into) {
                                   return FSRandomAccessFileOwnerWrapper::Read(from, left, options,
                                                                               more, into, debug);
                               });
    }

private:
    const Whole whole_;
};

class WholeReads final : public rocksdb::FileSystemWrapper {
public:
    explicit WholeReads(std::shared_ptr<rocksdb::FileSystem> below)
        : FileSystemWrapper(std::move(below)) {}

    const char* Name() const override { return "stele whole reads"; }

    IOStatus NewSequentialFile(const std::string& file, const FileOptions& options,
                               std::unique_ptr<FSSequentialFile>* result,
                               IODebugContext* debug) override {
        return open<SequentialFile>(file, options, result, debug,
                                    target()->NewSequentialFile(file, options, result, debug));
    }
    IOStatus NewRandomAccessFile(const std::string& file, const FileOptions& options,
                                 std::unique_ptr<FSRandomAccessFile>* result,
                                 IODebugContext* debug) override {
        return open<RandomAccessFile>(file, options, result, debug,
                                      target()->NewRandomAccessFile(file, options, result, debug));
    }

private:
    template <typename Wrapped, typename File>
    IOStatus open(const std::string& file, const FileOptions& options,
                  std::unique_ptr<File>* result, IODebugContext* debug, IOStatus opened) {
        if (!opened.ok()) return opened;
        std::uint64_t bytes = 0;
        const IOStatus sized = target()->GetFileSize(file, options.io_options, &bytes, debug);
        if (!sized.ok()) return sized;
        *result = std::make_unique<Wrapped>(std::move(*result), Whole{file, bytes});
        if constexpr (std::is_same_v<File, FSRandomAccessFile>) {
            if (file.ends_with(".sst")) return check_table(file, **result, bytes);
        }
        return opened;
    }
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> with_whole_reads(std::shared_ptr<rocksdb::FileSystem> below) {
    return std::make_shared<WholeReads>(std::move(below));
}

}  // namespace stele::store
