#include "store/rocksdb/rocksdb_store.h"

#include "store/format.h"
#include "store/keys.h"
#include "store/memory/memory_store.h"
#include "store/testing_directory.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace stele::store {
namespace {

namespace fs = std::filesystem;

WriteBatch put(std::string key, std::string value) {
    WriteBatch batch;
    batch.put(std::move(key), std::move(value));
    return batch;
}

/// The message of a failed opening.
std::string refusal(const fs::path& directory) {
    const auto store = open_rocksdb_store(directory);
    EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition) << store.status();
    return message_of(store.status());
}

TEST(RocksDbStore, KeepsWhatWasSyncedAcrossOpenings) {
    TestingDirectory directory;
    const fs::path data = directory.path() / "nested" / "data";
    {
        const auto store = open_rocksdb_store(data).value();
        ASSERT_TRUE(store->write(put("k", "v"), Sync::kYes).ok());
    }
    EXPECT_EQ(open_rocksdb_store(data).value()->get("k").value(), "v");
}

fs::path log_of(const fs::path& data) {
    for (const auto& file : fs::directory_iterator(data)) {
        if (file.path().extension() == ".log") return file.path();
    }
    ADD_FAILURE() << "no log in " << data;
    return {};
}

TEST(RocksDbStore, ZerosBehindTheEndOfTheLogAreNotRead) {
    TestingDirectory directory;
    const fs::path data = directory.path() / "data";
    const fs::path copy = directory.path() / "copy";
    const auto value = [](int i) { return std::string(static_cast<std::size_t>(i % 2'000), 'v'); };
    constexpr int kRows = 3'000;
    {
        const auto store = open_rocksdb_store(data).value();
        for (int i = 0; i < kRows; ++i) {
            const Sync sync = i % 100 == 0 ? Sync::kYes : Sync::kNo;
            ASSERT_TRUE(store->write(put("k" + std::to_string(i), value(i)), sync).ok());
        }
        fs::copy(data, copy);  // what a killed process leaves
    }
    EXPECT_EQ(fs::file_size(log_of(copy)) % (1U << 20), 0u);
    EXPECT_LT(fs::file_size(log_of(data)), fs::file_size(log_of(copy)));
    for (const fs::path& left : {copy, data}) {
        const auto store = open_rocksdb_store(left).value();
        for (int i = 0; i < kRows; ++i) {
            ASSERT_EQ(store->get("k" + std::to_string(i)).value(), value(i)) << left;
        }
    }
}

TEST(RocksDbStore, OnlyTheOwnerMayRead) {
    TestingDirectory directory;
    const fs::path data = directory.path() / "data";
    const auto store = open_rocksdb_store(data).value();
    ASSERT_TRUE(store->write(put("k", "v"), Sync::kYes).ok());
    EXPECT_EQ(fs::status(data).permissions(), fs::perms::owner_all);
    int files = 0;
    for (const auto& file : fs::directory_iterator(data)) {
        ++files;
        EXPECT_EQ(file.status().permissions(), fs::perms::owner_read | fs::perms::owner_write)
            << file.path();
    }
    EXPECT_GT(files, 4);
}

TEST(RocksDbStore, ASecondOpeningInThisProcessIsRefusedByName) {
    TestingDirectory directory;
    const auto store = open_rocksdb_store(directory.path()).value();
    const std::string message = refusal(directory.path());
    EXPECT_NE(message.find(directory.path().string()), std::string::npos) << message;
    EXPECT_NE(message.find("already open in this process"), std::string::npos) << message;
    // The refusal must not have dropped the first one's lock.
    EXPECT_NE(refusal(directory.path()).find("already open"), std::string::npos);
}

TEST(RocksDbStore, AnotherProcessIsRefusedWithTheHoldersName) {
    TestingDirectory directory;
    int ready[2];
    int done[2];
    ASSERT_EQ(pipe(ready), 0);
    ASSERT_EQ(pipe(done), 0);
    const pid_t child = fork();
    if (child == 0) {
        const auto store = open_rocksdb_store(directory.path());
        char byte = store.ok() ? 'y' : 'n';
        if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 1) _exit(1);
        _exit(0);
    }
    close(ready[1]);  // or nothing would say that the child has ended early
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'y');
    const std::string message = refusal(directory.path());
    EXPECT_NE(message.find(directory.path().string()), std::string::npos) << message;
    EXPECT_NE(message.find("process " + std::to_string(child)), std::string::npos) << message;
    ASSERT_EQ(write(done[1], &byte, 1), 1);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    for (const int end : {ready[0], done[0], done[1]}) close(end);
}

TEST(RocksDbStore, AnUnknownFormatIsRefusedByName) {
    TestingDirectory directory;
    {
        const auto store = open_rocksdb_store(directory.path()).value();
        ASSERT_TRUE(store->write(put(meta_key("format"), "\x07stele"), Sync::kYes).ok());
    }
    EXPECT_EQ(refusal(directory.path()),
              "data directory " + directory.path().string() +
                  " has format version 7, and this build of Stele reads versions 1 to 2");
}

TEST(RocksDbStore, AForeignDatabaseIsRefused) {
    TestingDirectory directory;
    {
        rocksdb::Options options;
        options.create_if_missing = true;
        rocksdb::DB* opened = nullptr;
        ASSERT_TRUE(rocksdb::DB::Open(options, directory.path().string(), &opened).ok());
        const std::unique_ptr<rocksdb::DB> foreign(opened);
        ASSERT_TRUE(foreign->Put(rocksdb::WriteOptions(), "their key", "their value").ok());
    }
    EXPECT_NE(refusal(directory.path()).find("not a Stele store"), std::string::npos);
}

TEST(RocksDbStore, ADirectoryThatCannotBeMadeIsRefusedWithTheReason) {
    TestingDirectory directory;
    const fs::path file = directory.path() / "file";
    std::ofstream(file) << "x";
    EXPECT_NE(refusal(file).find("a file of that name exists"), std::string::npos);
    EXPECT_NE(refusal(file / "below").find("Not a directory"), std::string::npos);
    EXPECT_NE(refusal("").find("name is empty"), std::string::npos);
}

TEST(RocksDbStore, ADamagedTableIsReportedWithItsPlace) {
    TestingDirectory directory;
    {
        const auto store = open_rocksdb_store(directory.path()).value();
        ASSERT_TRUE(store->write(put("k", "v"), Sync::kYes).ok());
    }
    for (const auto& file : fs::directory_iterator(directory.path())) {
        if (file.path().filename().string().starts_with("MANIFEST")) {
            std::fstream damaged(file.path());
            damaged.seekp(12);
            damaged << "damage";
        }
    }
    const auto store = open_rocksdb_store(directory.path());
    EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_NE(message_of(store.status()).find(directory.path().string()), std::string::npos);
}

TEST(CheckFormat, IsIdempotentAndRefusesADamagedMark) {
    const auto store = make_memory_store();
    EXPECT_TRUE(check_format(*store, "here").ok());
    EXPECT_TRUE(check_format(*store, "here").ok());
    ASSERT_TRUE(store->write(put(meta_key("format"), "\x01stale"), Sync::kYes).ok());
    EXPECT_EQ(message_of(check_format(*store, "here")), "here has a damaged format mark");
}

}  // namespace
}  // namespace stele::store
