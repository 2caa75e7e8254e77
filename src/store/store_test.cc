#include "store/store.h"

#include "store/memory/memory_store.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/testing_directory.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

// What every store must do; typed by the store.
namespace stele::store {
namespace {

struct Memory {
    std::unique_ptr<Store> store = make_memory_store();
};

struct RocksDb {
    TestingDirectory directory;
    std::unique_ptr<Store> store = open_rocksdb_store(directory.path()).value();
};

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows rows_of(Cursor& cursor) {
    Rows rows;
    for (; cursor.valid(); cursor.next()) rows.emplace_back(cursor.key(), cursor.value());
    EXPECT_TRUE(cursor.status().ok());
    return rows;
}

template <typename Kind>
class StoreTest : public testing::Test {
protected:
    Store& store() { return *kind_.store; }

    void put(std::string key, std::string value) {
        WriteBatch batch;
        batch.put(std::move(key), std::move(value));
        ASSERT_TRUE(store().write(batch, Sync::kNo).ok());
    }

    std::optional<std::string> get(std::string_view key) { return store().get(key).value(); }
    Rows scan(std::string begin, std::string end) {
        return rows_of(*store().scan(std::move(begin), std::move(end)));
    }
    Rows scan_reverse(std::string begin, std::string end) {
        return rows_of(*store().scan_reverse(std::move(begin), std::move(end)));
    }

private:
    Kind kind_;
};

using Kinds = testing::Types<Memory, RocksDb>;
TYPED_TEST_SUITE(StoreTest, Kinds);

TYPED_TEST(StoreTest, AWrittenValueIsRead) {
    EXPECT_EQ(this->get("k/a"), std::nullopt);
    this->put("k/a", std::string("\0\xff", 2));
    EXPECT_EQ(this->get("k/a"), std::string("\0\xff", 2));
    this->put("k/a", "");
    EXPECT_EQ(this->get("k/a"), "");
}

TYPED_TEST(StoreTest, OperationsOfABatchApplyInOrder) {
    this->put("k/old", "1");
    WriteBatch batch;
    batch.put("k/a", "first");
    batch.put("k/a", "second");
    batch.put("k/b", "gone");
    batch.erase("k/b");
    batch.erase_range("k/", "k0");
    batch.put("k/c", "after the range");
    ASSERT_TRUE(this->store().write(batch, Sync::kYes).ok());
    EXPECT_EQ(this->scan("k/", "k0"), (Rows{{"k/c", "after the range"}}));
}

TYPED_TEST(StoreTest, AnErasedRangeLeavesItsEndAlone) {
    for (const char* key : {"k/1", "k/2", "k/3", "k/4"}) this->put(key, "v");
    WriteBatch batch;
    batch.erase_range("k/2", "k/4");
    batch.erase_range("k/9", "k/1");  // backwards: nothing
    ASSERT_TRUE(this->store().write(batch, Sync::kNo).ok());
    EXPECT_EQ(this->scan("k/", "k0"), (Rows{{"k/1", "v"}, {"k/4", "v"}}));
}

TYPED_TEST(StoreTest, ALargeRangeIsErasedToo) {
    WriteBatch batch;
    for (int i = 0; i < 10'000; ++i) batch.put("k/" + std::to_string(i), "v");
    batch.put("k0", "kept");
    ASSERT_TRUE(this->store().write(batch, Sync::kNo).ok());
    WriteBatch erase;
    erase.erase_range("k/", "k0");
    ASSERT_TRUE(this->store().write(erase, Sync::kNo).ok());
    EXPECT_EQ(this->scan("k/", "k1"), (Rows{{"k0", "kept"}}));
}

TYPED_TEST(StoreTest, ScansAreHalfOpenInBothDirections) {
    for (const char* key : {"k/1", "k/2", "k/3"}) this->put(key, key);
    EXPECT_EQ(this->scan("k/1", "k/3"), (Rows{{"k/1", "k/1"}, {"k/2", "k/2"}}));
    EXPECT_EQ(this->scan_reverse("k/1", "k/3"), (Rows{{"k/2", "k/2"}, {"k/1", "k/1"}}));
    EXPECT_EQ(this->scan("k/11", "k/2"), Rows{});
    EXPECT_EQ(this->scan_reverse("k/11", "k/2"), Rows{});
    EXPECT_EQ(this->scan("k/3", "k/1"), Rows{});
    EXPECT_EQ(this->scan_reverse("k/3", "k/1"), Rows{});
}

TYPED_TEST(StoreTest, KeysAreComparedAsUnsignedBytes) {
    this->put("k\x7f", "1");
    this->put("k\x80", "2");
    this->put("k\xff", "3");
    EXPECT_EQ(this->scan("k", "l"), (Rows{{"k\x7f", "1"}, {"k\x80", "2"}, {"k\xff", "3"}}));
}

TYPED_TEST(StoreTest, ACursorSeesTheMomentWhenItWasMade) {
    for (const char* key : {"k/1", "k/2", "k/3"}) this->put(key, "old");
    const auto forward = this->store().scan("k/", "k0");
    const auto reverse = this->store().scan_reverse("k/", "k0");
    WriteBatch batch;
    batch.put("k/1", "new");
    batch.erase("k/2");
    batch.put("k/4", "new");
    batch.erase("k/5");
    batch.erase_range("k/3", "k/4");
    ASSERT_TRUE(this->store().write(batch, Sync::kNo).ok());
    EXPECT_EQ(rows_of(*forward), (Rows{{"k/1", "old"}, {"k/2", "old"}, {"k/3", "old"}}));
    EXPECT_EQ(rows_of(*reverse), (Rows{{"k/3", "old"}, {"k/2", "old"}, {"k/1", "old"}}));
    EXPECT_EQ(this->scan("k/", "k0"), (Rows{{"k/1", "new"}, {"k/4", "new"}}));
}

TYPED_TEST(StoreTest, AnEmptyBatchMaySync) {
    EXPECT_TRUE(this->store().write(WriteBatch(), Sync::kYes).ok());
    this->put("k/1", "v");
    EXPECT_TRUE(this->store().write(WriteBatch(), Sync::kYes).ok());
    EXPECT_EQ(this->get("k/1"), "v");
}

TEST(WriteBatchTest, WhatIsNewAndErasedIsNotWritten) {
    WriteBatch batch;
    batch.put_new("new", "1");
    batch.put("known", "1");
    batch.erase("replaced");
    batch.put_new("replaced", "1");
    batch.erase("new");
    batch.erase("known");
    batch.erase("replaced");
    batch.drop_overwritten();
    std::vector<std::string> erased;
    for (const WriteBatch::Operation& operation : batch.operations()) {
        EXPECT_EQ(operation.kind, WriteBatch::Operation::Kind::kErase);
        erased.push_back(operation.key);
    }
    EXPECT_EQ(erased, (std::vector<std::string>{"replaced", "known"}));
}

/// Random batches against a plain map, with cursors kept open while the store changes.
TYPED_TEST(StoreTest, AgreesWithAnOrderedMap) {
    using Model = std::map<std::string, std::string>;
    std::mt19937 random(11);
    Model model;
    std::vector<std::pair<std::unique_ptr<Cursor>, Rows>> open;
    const auto key = [&random] { return "k/" + std::to_string(random() % 30); };
    for (int round = 0; round < 2000; ++round) {
        WriteBatch batch;
        for (auto operation = random() % 12; operation > 0; --operation) {
            std::string first = key();
            std::string second = key();
            switch (random() % 8) {
                case 0:
                    batch.erase_range(first, second);
                    if (first < second) {
                        model.erase(model.lower_bound(first), model.lower_bound(second));
                    }
                    break;
                case 1:
                case 2:
                    batch.erase(first);
                    model.erase(first);
                    break;
                default:
                    if (model.contains(first)) {
                        batch.put(first, std::to_string(round));
                    } else {
                        batch.put_new(first, std::to_string(round));
                    }
                    model[first] = std::to_string(round);
            }
        }
        if (random() % 2 == 0) batch.drop_overwritten();
        ASSERT_TRUE(this->store().write(batch, Sync::kNo).ok());
        Rows expected(model.begin(), model.end());
        if (random() % 4 == 0) open.emplace_back(this->store().scan("k/", "k0"), expected);
        if (random() % 4 == 0) {
            open.emplace_back(this->store().scan_reverse("k/", "k0"),
                              Rows(expected.rbegin(), expected.rend()));
        }
        if (random() % 8 == 0) {
            for (auto& [cursor, rows] : open) ASSERT_EQ(rows_of(*cursor), rows);
            open.clear();
        }
        ASSERT_EQ(this->scan("k/", "k0"), expected);
    }
}

}  // namespace
}  // namespace stele::store
