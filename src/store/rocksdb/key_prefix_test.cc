#include "store/rocksdb/key_prefix.h"

#include "store/keys.h"
#include "store/rocksdb/rocksdb_store.h"
#include "store/testing_directory.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace stele::store {
namespace {

std::string prefix_of(const std::string& key) {
    return key_prefix()->InDomain(key) ? key_prefix()->Transform(key).ToString() : "none";
}

TEST(KeyPrefixTest, TheRowsOfARunHaveOne) {
    const std::string header = encode(StateKey{7, RunKey(5), StateKind::kHeader, 0});
    EXPECT_EQ(prefix_of(header), header.substr(0, 11));
    EXPECT_EQ(prefix_of(encode(StateKey{7, RunKey(5), StateKind::kTimer, 3})), prefix_of(header));
    EXPECT_EQ(prefix_of(state_range(7, RunKey(5)).begin), prefix_of(header));
    EXPECT_NE(prefix_of(encode(StateKey{8, RunKey(5), StateKind::kHeader, 0})), prefix_of(header));
    EXPECT_NE(prefix_of(encode(EventsKey{7, RunKey(5), EventId(1)})), prefix_of(header));
}

TEST(KeyPrefixTest, KeysThatAreLookedUpStandForThemselvesAndOthersForNothing) {
    const std::string current = encode(CurrentKey{7, "ns", "order"});
    const std::string run = encode(RunRowKey{7, {"ns", "order", "run"}});
    EXPECT_EQ(prefix_of(current), current);
    EXPECT_EQ(prefix_of(run), run);
    EXPECT_EQ(prefix_of(encode(AlarmKey{7, kNever, RunKey(5)})), "none");
    EXPECT_EQ(prefix_of(meta_key("format")), "none");
    EXPECT_EQ(prefix_of("s"), "none");
    EXPECT_EQ(prefix_of(""), "none");
}

TEST(KeyPrefixTest, ARangeOfOneRunIsOneOfItsTable) {
    const auto one = [](const KeyRange& range) {
        return is_range_of_one_run(range.begin, range.end);
    };
    EXPECT_TRUE(one(state_range(7, RunKey(5))));
    EXPECT_TRUE(one(state_range(7, RunKey(5), StateKind::kTimer)));
    EXPECT_TRUE(one(events_range(7, RunKey(5))));
    EXPECT_TRUE(one(events_range(7, RunKey(5), EventId(3), EventId(9))));
    EXPECT_TRUE(one(state_range(kSlotCount - 1, RunKey(255))));
    EXPECT_FALSE(one(table_range(Table::kState)));
    EXPECT_FALSE(one({state_range(7, RunKey(5)).begin, state_range(8, RunKey(5)).end}));
    EXPECT_FALSE(one({events_range(7, RunKey(5)).begin, table_range(Table::kEvents).end}));
    EXPECT_FALSE(one(run_range(7, "ns", "order")));
}

/// Keys of all the tables that a run has rows in, a few of each, so that many are there and many are not.
class Keys {
public:
    std::string any() {
        const auto slot = static_cast<Slot>(below(3));
        const RunKey run(static_cast<std::int64_t>(below(200)));
        switch (below(5)) {
            case 0: return encode(StateKey{slot, run, static_cast<StateKind>(below(4)), 1});
            case 1: return encode(EventsKey{slot, run, EventId(1 + below(4))});
            case 2: return encode(CurrentKey{slot, "ns", std::to_string(below(300))});
            case 3: return encode(RunRowKey{slot, {"ns", std::to_string(below(300)), "run"}});
            default: return encode(AlarmKey{slot, Timestamp(Duration(below(300))), run});
        }
    }
    KeyRange range() {
        const auto slot = static_cast<Slot>(below(3));
        const RunKey run(static_cast<std::int64_t>(below(200)));
        switch (below(5)) {
            case 0: return state_range(slot, run);
            case 1: return events_range(slot, run, EventId(below(4)), EventId(below(6)));
            case 2: return table_range(Table::kState);
            case 3: return run_range(slot, "ns", std::to_string(below(300)));
            default: return {any(), any()};
        }
    }
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>(random_() % limit);
    }

private:
    std::mt19937 random_{3};
};

TEST(KeyPrefixTest, FilesWithFiltersGiveWhatAMapGives) {
    TestingDirectory directory;
    // So small that most reads meet several files.
    const auto store =
        open_rocksdb_store(directory.path(), {.write_buffer_bytes = 64U << 10}).value();
    Keys keys;
    std::map<std::string, std::string> model;
    const KeyRange whole{"\x01", "\xff"};
    {
        const auto mark = store->scan(whole.begin, whole.end);
        for (; mark->valid(); mark->next()) model.emplace(mark->key(), mark->value());
    }
    int found = 0;
    int rows_of_runs = 0;
    for (int round = 0; round < 1'500; ++round) {
        WriteBatch batch;
        for (int i = 0; i < 20; ++i) {
            const std::string key = keys.any();
            if (keys.below(4) == 0) {
                batch.erase(key);
                model.erase(key);
            } else {
                std::string value(keys.below(200), static_cast<char>('a' + round % 26));
                model[key] = value;
                batch.put(key, std::move(value));
            }
        }
        ASSERT_TRUE(store->write(batch, Sync::kNo).ok());
        for (int i = 0; i < 10; ++i) {
            const std::string key = keys.any();
            const auto expected = model.find(key);
            const auto value = store->get(key).value();
            ASSERT_EQ(value.has_value(), expected != model.end()) << describe_key(key);
            if (value) {
                ASSERT_EQ(*value, expected->second) << describe_key(key);
            }
            found += value.has_value();
        }
        const KeyRange range = keys.range();
        if (range.begin >= range.end) continue;
        auto expected = model.lower_bound(range.begin);
        for (const auto row = store->scan(range.begin, range.end); row->valid(); row->next()) {
            ASSERT_EQ(row->key(), expected->first);
            ASSERT_EQ(row->value(), expected->second);
            ++expected;
            rows_of_runs += is_range_of_one_run(range.begin, range.end);
        }
        ASSERT_EQ(expected, model.lower_bound(range.end));
        for (const auto row = store->scan_reverse(range.begin, range.end); row->valid();
             row->next()) {
            --expected;
            ASSERT_EQ(row->key(), expected->first);
        }
        ASSERT_EQ(expected, model.lower_bound(range.begin));
    }
    EXPECT_GT(found, 1'000);
    EXPECT_GT(rows_of_runs, 500);
}

/// Rows of runs go in with hints. Ranges that are long enough for RocksDB's own erasure stand among them: a hint that
/// was used for both would mix up two lists.
TEST(InsertionHintTest, RangesAreErasedAmongRowsOfRuns) {
    TestingDirectory directory;
    const auto store = open_rocksdb_store(directory.path()).value();
    std::map<std::string, std::string> model;
    std::mt19937 random(5);
    constexpr int kRows = 5'000;
    const auto put = [&](WriteBatch& batch, const std::string& key, int value) {
        batch.put(key, std::to_string(value));
        model[key] = std::to_string(value);
    };
    std::int64_t last_row = 0;
    for (int round = 0; round < 60; ++round) {
        const RunKey run(static_cast<std::int64_t>(random() % 8));
        for (int i = 0; i < 50; ++i) {
            WriteBatch batch;
            for (int row = 0; row < 5; ++row) {
                const RunKey any(static_cast<std::int64_t>(random() % 8));
                const auto item = static_cast<std::int64_t>(random() % 1'000);
                put(batch, encode(StateKey{7, any, StateKind::kTimer, item}), round);
                put(batch, encode(EventsKey{7, any, EventId(item)}), round);
            }
            ASSERT_TRUE(store->write(batch, Sync::kNo).ok());
        }
        KeyRange range;
        WriteBatch many;
        for (int row = 1; row <= kRows; ++row) {
            put(many,
                round % 3 == 0 ? encode(IndexKey{0, ++last_row})
                               : encode(EventsKey{7, run, EventId(row)}),
                row);
        }
        switch (round % 3) {
            case 0: range = {index_range(0).begin, encode(IndexKey{0, last_row})}; break;
            case 1: range = events_range(7, run); break;
            default: range = events_range(7, run, EventId(2), EventId(kRows)); break;
        }
        WriteBatch erase;
        erase.erase_range(range.begin, range.end);
        model.erase(model.lower_bound(range.begin), model.lower_bound(range.end));
        ASSERT_TRUE(store->write(many, Sync::kNo).ok());
        ASSERT_TRUE(store->write(erase, Sync::kNo).ok());
        std::map<std::string, std::string> found;
        const auto rows = store->scan(std::string(1, '\x01'), std::string(1, '\x7f'));
        for (; rows->valid(); rows->next()) found.emplace(rows->key(), rows->value());
        found.erase(meta_key("format"));
        ASSERT_EQ(found, model) << "round " << round;
    }
}

}  // namespace
}  // namespace stele::store
