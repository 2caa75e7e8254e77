#include "store/faults/fault_disk.h"

#include "store/faults/fault_files.h"

#include <gtest/gtest.h>

namespace stele::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSDirectory;
using rocksdb::FSWritableFile;
using rocksdb::IOOptions;

WriteBatch put(std::string key, std::string value) {
    WriteBatch batch;
    batch.put(std::move(key), std::move(value));
    return batch;
}

class FaultFilesTest : public ::testing::Test {
protected:
    std::unique_ptr<FSWritableFile> create(const std::string& file) {
        std::unique_ptr<FSWritableFile> created;
        EXPECT_TRUE(files_.NewWritableFile(file, FileOptions(), &created, nullptr).ok());
        return created;
    }
    bool append(FSWritableFile& file, const std::string& data) {
        return file.Append(data, IOOptions(), nullptr).ok();
    }
    bool sync(FSWritableFile& file) { return file.Sync(IOOptions(), nullptr).ok(); }
    void sync_directory() { EXPECT_TRUE(files_.sync_directory("/data").ok()); }
    /// A file with "old", synced in all respects, and "new" behind it.
    std::unique_ptr<FSWritableFile> half_synced() {
        auto file = create("/data/a");
        EXPECT_TRUE(append(*file, "old"));
        EXPECT_TRUE(sync(*file));
        sync_directory();
        EXPECT_TRUE(append(*file, "new"));
        return file;
    }
    FaultDisk::Contents after_cut(Remains remains, std::uint64_t choice = 0) {
        files_.cut();
        files_.restore(remains, choice);
        return files_.contents();
    }

    FaultFiles files_;
};

TEST_F(FaultFilesTest, ACutTakesWhatWasNotSynced) {
    const auto file = half_synced();
    EXPECT_EQ(files_.contents().at("/data/a"), "oldnew");
    EXPECT_EQ(after_cut(Remains::kLost).at("/data/a"), "old");
}

TEST_F(FaultFilesTest, OrLeavesIt) {
    const auto file = half_synced();
    EXPECT_EQ(after_cut(Remains::kKept).at("/data/a"), "oldnew");
}

TEST_F(FaultFilesTest, APrefixEndsBetweenTwoOperations) {
    const auto file = half_synced();
    EXPECT_TRUE(append(*file, "newer"));
    EXPECT_EQ(after_cut(Remains::kPrefix).at("/data/a"), "oldnew");
}

TEST_F(FaultFilesTest, ATornWriteEndsInItsMiddle) {
    const auto file = half_synced();
    // The choice decides how much of it arrives: one byte.
    EXPECT_EQ(after_cut(Remains::kTorn, 7).at("/data/a"), "oldn");
}

TEST_F(FaultFilesTest, ATornWriteOverOldBytesLeavesGarbage) {
    const auto file = half_synced();
    EXPECT_TRUE(sync(*file));
    ASSERT_TRUE(file->PositionedAppend("OLD", 0, IOOptions(), nullptr).ok());
    EXPECT_EQ(after_cut(Remains::kTorn, 7).at("/data/a"), "O\xa5\xa5new");
}

TEST_F(FaultFilesTest, ANameLastsOnceItsDirectoryIsSynced) {
    const auto file = create("/data/a");
    EXPECT_TRUE(append(*file, "x"));
    EXPECT_TRUE(sync(*file));
    EXPECT_TRUE(after_cut(Remains::kLost).empty());
}

TEST_F(FaultFilesTest, ARenameIsDoneOrNot) {
    const auto file = half_synced();
    ASSERT_TRUE(files_.RenameFile("/data/a", "/data/b", IOOptions(), nullptr).ok());
    EXPECT_TRUE(files_.contents().contains("/data/b"));
    const FaultDisk::Contents left = after_cut(Remains::kLost);
    EXPECT_TRUE(left.contains("/data/a"));
    EXPECT_FALSE(left.contains("/data/b"));
}

TEST_F(FaultFilesTest, ADeletedFileComesBack) {
    const auto file = half_synced();
    ASSERT_TRUE(files_.DeleteFile("/data/a", IOOptions(), nullptr).ok());
    EXPECT_FALSE(files_.contents().contains("/data/a"));
    EXPECT_EQ(after_cut(Remains::kLost).at("/data/a"), "old");
}

TEST_F(FaultFilesTest, WithoutPowerNothingIsDone) {
    const auto file = half_synced();
    files_.cut_at(files_.operations() + 1);
    EXPECT_FALSE(sync(*file));
    EXPECT_FALSE(files_.has_power());
    EXPECT_FALSE(append(*file, "more"));
    EXPECT_EQ(after_cut(Remains::kKept).at("/data/a"), "oldnew");
}

TEST_F(FaultFilesTest, AFailedSyncIsNotMadeUpForByTheNext) {
    const auto file = half_synced();
    files_.fail_at(files_.operations() + 1, Failure::kSyncError, false);
    EXPECT_FALSE(sync(*file));
    EXPECT_TRUE(sync(*file));
    EXPECT_EQ(files_.contents().at("/data/a"), "oldnew");
    EXPECT_EQ(after_cut(Remains::kKept).at("/data/a"), "old");
}

TEST_F(FaultFilesTest, AShortWriteLeavesHalf) {
    const auto file = half_synced();
    files_.fail_at(files_.operations() + 1, Failure::kShortWrite, true);
    EXPECT_FALSE(append(*file, "1234"));
    EXPECT_EQ(files_.contents().at("/data/a"), "oldnew12");
    EXPECT_TRUE(files_.has_failed());
}

TEST_F(FaultFilesTest, AReadFailsOrComesShort) {
    files_.load({{"/data/a", "0123"}});
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    ASSERT_TRUE(files_.NewRandomAccessFile("/data/a", {}, &file, nullptr).ok());
    const auto read = [&file]() -> std::string {
        char scratch[4];
        rocksdb::Slice result;
        const auto status = file->Read(0, 4, IOOptions(), &result, scratch, nullptr);
        return status.ok() ? result.ToString() : "error";
    };
    files_.fail_read_at(2, ReadFailure::kIoError, false);
    EXPECT_EQ(read(), "0123");
    EXPECT_FALSE(files_.has_failed());
    EXPECT_EQ(read(), "error");
    EXPECT_TRUE(files_.has_failed());
    EXPECT_EQ(read(), "0123");
    files_.fail_read_at(4, ReadFailure::kShortRead, true);
    EXPECT_EQ(read(), "01");
    EXPECT_EQ(read(), "01");
    files_.heal();
    EXPECT_EQ(read(), "0123");
    EXPECT_EQ(files_.reads(), std::vector<std::string>(6, "/data/a"));
}

TEST(FaultDisk, ASyncedWriteOutlivesACut) {
    FaultDisk disk;
    {
        const auto store = disk.open({}).value();
        ASSERT_TRUE(store->write(put("k", "v"), Sync::kYes).ok());
        ASSERT_TRUE(store->write(put("lazy", "v"), Sync::kNo).ok());
        disk.cut();
    }
    disk.restore(Remains::kLost, 0);
    const auto store = disk.open({}).value();
    EXPECT_EQ(store->get("k").value(), "v");
    EXPECT_EQ(store->get("lazy").value(), std::nullopt);
}

TEST(FaultDisk, AStoreWhoseSyncFailedTakesNoMoreWrites) {
    FaultDisk disk;
    const auto store = disk.open({}).value();
    disk.fail_at(disk.operations() + 1, Failure::kSyncError, true);
    EXPECT_FALSE(store->write(put("k", "v"), Sync::kYes).ok());
    disk.heal();
    EXPECT_FALSE(store->write(put("k", "v"), Sync::kYes).ok());
}

TEST(FaultDisk, TheSameWritesAreTheSameOperations) {
    const auto operations = [] {
        FaultDisk disk;
        RocksDbOptions options;
        options.write_buffer_bytes = 64U << 10;
        const auto store = disk.open(options).value();
        for (int i = 0; i < 40; ++i) {
            EXPECT_TRUE(
                store->write(put("k" + std::to_string(i), std::string(20'000, 'v')), Sync::kYes)
                    .ok());
        }
        std::string text;
        for (std::uint64_t i = 1; i <= disk.operations(); ++i) {
            text += name_of(disk.operation(i).kind) + (" " + disk.operation(i).file) + "\n";
        }
        return text;
    };
    const std::string first = operations();
    EXPECT_NE(first.find(".sst"), std::string::npos);
    EXPECT_EQ(first, operations());
}

}  // namespace
}  // namespace stele::store
