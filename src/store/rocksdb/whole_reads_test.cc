#include "store/rocksdb/whole_reads.h"

#include "store/faults/fault_files.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace stele::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr char kFile[] = "/data/file";

/// A file of ten bytes on a disk whose reads can come short.
class WholeReadsTest : public ::testing::Test {
protected:
    WholeReadsTest() { below_->load({{kFile, "0123456789"}}); }

    IOStatus read_sequentially(std::size_t size, std::string& text) {
        std::unique_ptr<rocksdb::FSSequentialFile> file;
        EXPECT_TRUE(files_->NewSequentialFile(kFile, FileOptions(), &file, nullptr).ok());
        return read(size, text, [&](std::size_t wanted, Slice* result, char* scratch) {
            return file->Read(wanted, IOOptions(), result, scratch, nullptr);
        });
    }
    IOStatus read_at(std::uint64_t offset, std::size_t size, std::string& text) {
        std::unique_ptr<rocksdb::FSRandomAccessFile> file;
        EXPECT_TRUE(files_->NewRandomAccessFile(kFile, FileOptions(), &file, nullptr).ok());
        return read(size, text, [&](std::size_t wanted, Slice* result, char* scratch) {
            return file->Read(offset, wanted, IOOptions(), result, scratch, nullptr);
        });
    }

    std::shared_ptr<FaultFiles> below_ = std::make_shared<FaultFiles>();
    std::shared_ptr<rocksdb::FileSystem> files_ = with_whole_reads(below_);

private:
    template <typename Read>
    IOStatus read(std::size_t size, std::string& text, Read read) {
        std::string scratch(size, '?');
        Slice result;
        IOStatus status = read(size, &result, scratch.data());
        text = result.ToString();
        return status;
    }
};

TEST_F(WholeReadsTest, AReadBehindTheEndGivesWhatThereIs) {
    std::string text;
    EXPECT_TRUE(read_sequentially(100, text).ok());
    EXPECT_EQ(text, "0123456789");
    EXPECT_TRUE(read_at(8, 100, text).ok());
    EXPECT_EQ(text, "89");
    EXPECT_TRUE(read_at(10, 1, text).ok());
    EXPECT_EQ(text, "");
}

TEST_F(WholeReadsTest, AShortReadIsReadOn) {
    std::string text;
    below_->fail_read_at(1, ReadFailure::kShortRead, false);
    EXPECT_TRUE(read_sequentially(10, text).ok());
    EXPECT_EQ(text, "0123456789");
    EXPECT_TRUE(below_->has_failed());
    below_->fail_read_at(below_->reads().size() + 1, ReadFailure::kShortRead, false);
    EXPECT_TRUE(read_at(2, 6, text).ok());
    EXPECT_EQ(text, "234567");
}

TEST_F(WholeReadsTest, AFileThatStaysShortIsAnErrorThatNamesIt) {
    std::string text;
    below_->fail_read_at(1, ReadFailure::kShortRead, true);
    const IOStatus status = read_sequentially(10, text);
    EXPECT_TRUE(status.IsIOError());
    EXPECT_NE(status.ToString().find(kFile), std::string::npos) << status.ToString();
    EXPECT_TRUE(read_at(0, 10, text).IsIOError());
}

TEST_F(WholeReadsTest, AnErrorStaysOne) {
    std::string text;
    below_->fail_read_at(1, ReadFailure::kIoError, false);
    EXPECT_TRUE(read_sequentially(10, text).IsIOError());
    EXPECT_TRUE(read_sequentially(10, text).ok());
}

}  // namespace
}  // namespace stele::store
