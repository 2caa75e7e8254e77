#include "store/rocksdb/log_check.h"

#include "store/faults/fault_disk.h"

#include <gtest/gtest.h>

namespace stele::store {
namespace {

WriteBatch put(const std::string& key, std::size_t bytes = 10) {
    WriteBatch batch;
    batch.put(key, std::string(bytes, 'v'));
    return batch;
}

/// What is left of three writes by a process that was killed, and where in the log each begins.
class LogCheckTest : public ::testing::Test {
protected:
    void write(Sync second, Sync third, std::size_t bytes = 10) {
        FaultDisk disk;
        const auto store = disk.open({}).value();
        ASSERT_TRUE(store->write(put("first", bytes), Sync::kYes).ok());
        ASSERT_TRUE(store->write(put("second", bytes), second).ok());
        ASSERT_TRUE(store->write(put("third", bytes), third).ok());
        contents_ = disk.contents();
        for (const auto& [file, content] : contents_) {
            if (file.ends_with(".log")) log_ = file;
        }
    }
    void damage(const std::string& key) {
        std::string& log = contents_.at(log_);
        const std::size_t at = log.find(key);
        ASSERT_NE(at, std::string::npos);
        log[at] = '?';
    }
    absl::Status open() {
        store_.reset();
        disk_.load(contents_);
        auto opened = disk_.open({});
        if (opened.ok()) store_ = *std::move(opened);
        return opened.status();
    }
    bool has(const std::string& key) { return store_->get(key).value().has_value(); }

    FaultDisk::Contents contents_;
    std::string log_;
    FaultDisk disk_;
    std::unique_ptr<Store> store_;
};

TEST_F(LogCheckTest, AWholeLogIsRead) {
    write(Sync::kNo, Sync::kYes);
    ASSERT_TRUE(open().ok());
    EXPECT_TRUE(has("third"));
}

TEST_F(LogCheckTest, DamageOfASyncedWriteIsAnErrorWithFileAndOffset) {
    write(Sync::kYes, Sync::kYes);
    damage("second");
    const absl::Status opened = open();
    EXPECT_EQ(opened.code(), absl::StatusCode::kDataLoss);
    EXPECT_NE(message_of(opened).find(log_ + " is damaged at offset "), std::string::npos)
        << message_of(opened);
}

TEST_F(LogCheckTest, AWriteThatWasNeverSyncedMayBeTorn) {
    write(Sync::kNo, Sync::kNo);
    damage("second");
    ASSERT_TRUE(open().ok());
    EXPECT_TRUE(has("first"));
    EXPECT_FALSE(has("second"));
    EXPECT_FALSE(has("third"));
}

TEST_F(LogCheckTest, TheLastWriteCanNotBeToldFromATornOne) {
    write(Sync::kYes, Sync::kYes);
    damage("third");
    ASSERT_TRUE(open().ok());
    EXPECT_TRUE(has("second"));
}

TEST_F(LogCheckTest, RecordsAcrossBlocksAreFoundAgain) {
    write(Sync::kYes, Sync::kYes, 100'000);
    ASSERT_TRUE(open().ok());
    EXPECT_TRUE(has("third"));
    damage("first");
    EXPECT_EQ(open().code(), absl::StatusCode::kDataLoss);
}

/// A store whose rows stand in a table, all of them.
class TableTest : public ::testing::Test {
protected:
    void SetUp() override {
        FaultDisk disk;
        ASSERT_TRUE(disk.open({}).value()->write(put("row"), Sync::kYes).ok());
        ASSERT_TRUE(disk.open({}).ok());  // recovery makes the table
        contents_ = disk.contents();
    }
    std::string& file(const std::string& part) {
        for (auto& [name, content] : contents_) {
            if (name.find(part) != std::string::npos) return content;
        }
        ADD_FAILURE() << "no file " << part;
        return contents_.begin()->second;
    }
    std::string error() {
        FaultDisk disk;
        disk.load(contents_);
        const auto opened = disk.open({});
        EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss) << opened.status();
        return message_of(opened.status());
    }

    FaultDisk::Contents contents_;
};

TEST_F(TableTest, AManifestThatWasCutShortDoesNotMakeANewStore) {
    file("MANIFEST").resize(60);
    EXPECT_NE(error().find("MANIFEST"), std::string::npos);
}

TEST_F(TableTest, ADamagedTableIsNamed) {
    file(".sst").resize(10);
    EXPECT_NE(error().find(".sst is damaged"), std::string::npos);
}

}  // namespace
}  // namespace stele::store
