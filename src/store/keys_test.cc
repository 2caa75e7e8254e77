#include "store/keys.h"

#include "store/key_codec.h"

#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

namespace stele::store {
namespace {

constexpr char kGoldenFile[] = "src/store/testdata/keys.golden";

std::string with_zero() { return std::string("a\0b", 3); }

/// One of everything, with the values at which an encoding tends to break.
std::vector<std::string> sample_keys() {
    const Slot slot = slot_of("ns-1", "order-1");
    const Timestamp time(Duration(1'700'000'000'123'456'789));
    std::vector<std::string> keys = {
        encode(CurrentKey{slot, "ns-1", "order-1"}),
        encode(CurrentKey{0, "", ""}),
        encode(CurrentKey{kSlotCount - 1, with_zero(), "\xc3\xa9\xff"}),
        encode(RunRowKey{slot, {"ns-1", "order-1", "run-1"}}),
        encode(StateKey{slot, RunKey(1), StateKind::kHeader, 0}),
        encode(EventsKey{slot, RunKey(1), EventId(1)}),
        encode(EventsKey{slot, RunKey(70'000), EventId(51'200)}),
        encode(DispatchKey{slot, QueueKind::kWorkflow, "ns-1", "queue", 9}),
        encode(DispatchKey{slot, QueueKind::kActivity, "ns-1", with_zero(), -1}),
        encode(AlarmKey{slot, time, RunKey(1)}),
        encode(AlarmKey{slot, kNever, RunKey(2)}),
        encode(OutboxKey{slot, 3}),
        encode(IndexKey{slot, 12}),
        meta_key("format"),
        namespace_key("32049b68-7872-4094-8e63-d0dd59896a83"),
        namespace_name_key("default"),
        encode(TaskQueueKey{"ns-1", "queue", 2}),
        encode(BatchKey{"ns-1", "job-1"}),
        nexus_endpoint_key("32049b68-7872-4094-8e63-d0dd59896a84"),
    };
    for (int kind = 0; kind <= static_cast<int>(StateKind::kNexusOperation); ++kind) {
        keys.push_back(encode(StateKey{slot, RunKey(5), static_cast<StateKind>(kind), 300 + kind}));
    }
    return keys;
}

TEST(Keys, GoldenFileStaysReadable) {
    std::ifstream file(kGoldenFile);
    ASSERT_TRUE(file) << kGoldenFile;
    std::string expected;
    std::string line;
    while (std::getline(file, line)) {
        if (line.empty() || line.front() == '#') continue;
        const auto space = line.find(' ');
        const auto key = from_hex(line.substr(0, space));
        ASSERT_TRUE(key) << line;
        EXPECT_EQ(describe_key(*key), line.substr(space + 1));
        expected += line + "\n";
    }
    std::string written;
    for (const std::string& key : sample_keys()) {
        written += to_hex(key) + " " + describe_key(key) + "\n";
    }
    // Lines are added for new tables; a line that changes is a broken format.
    EXPECT_EQ(written, expected);
}

TEST(Keys, SlotsAreTheSameForEver) {
    EXPECT_EQ(slot_of("", ""), 2790);
    EXPECT_EQ(slot_of("ns-1", "order-1"), 1690);
    EXPECT_EQ(slot_of("ns-1", "order-2"), 383);
    EXPECT_NE(slot_of("a", "bc"), slot_of("ab", "c"));
}

TEST(Keys, SlotsSpreadSequentialNamesEvenly) {
    std::vector<int> rows(kSlotCount);
    const int count = 40 * kSlotCount;
    for (int i = 0; i < count; ++i) ++rows[slot_of("namespace", "order-" + std::to_string(i))];
    // 40 are expected; six standard deviations (of about 6.3) are allowed.
    for (const int number : rows) {
        EXPECT_GT(number, 2);
        EXPECT_LT(number, 78);
    }
}

TEST(Keys, ShardsCoverEverySlotOnce) {
    for (const int count : {1, 2, 3, 7, 16, 1000, 4096}) {
        Slot next = 0;
        for (int shard = 0; shard < count; ++shard) {
            const SlotRange range = slots_of_shard(ShardId(shard), count);
            EXPECT_EQ(range.begin, next);
            EXPECT_LT(range.begin, range.end);
            for (Slot slot = range.begin; slot < range.end; ++slot) {
                EXPECT_EQ(shard_of_slot(slot, count), ShardId(shard));
            }
            next = range.end;
        }
        EXPECT_EQ(next, kSlotCount);
    }
}

bool in(const KeyRange& range, const std::string& key) {
    return key >= range.begin && key < range.end;
}

TEST(Keys, AShardsRowsAreOneRangePerTable) {
    const SlotRange slots{100, 200};
    for (const std::string& key : {encode(AlarmKey{100, Timestamp(), RunKey(-1)}),
                                   encode(AlarmKey{199, kNever, RunKey(9)})}) {
        EXPECT_TRUE(in(table_range(Table::kAlarm, slots), key));
        EXPECT_FALSE(in(table_range(Table::kOutbox, slots), key));
        EXPECT_TRUE(in(table_range(Table::kAlarm), key));
    }
    EXPECT_FALSE(in(table_range(Table::kAlarm, slots), encode(AlarmKey{99, kNever, RunKey(9)})));
    EXPECT_FALSE(
        in(table_range(Table::kAlarm, slots), encode(AlarmKey{200, Timestamp(), RunKey(0)})));
    EXPECT_TRUE(in(table_range(Table::kAlarm, SlotRange{}),
                   encode(AlarmKey{kSlotCount - 1, Timestamp(), RunKey(0)})));
}

TEST(Keys, RowsOfRunsStandInTheOrderOfCreation) {
    EXPECT_LT(encode(StateKey{4095, RunKey(1), StateKind::kCallback, 9}),
              encode(StateKey{0, RunKey(2), StateKind::kHeader, 0}));
    EXPECT_LT(encode(EventsKey{4095, RunKey(1), EventId(9)}),
              encode(EventsKey{0, RunKey(2), EventId(1)}));
    // Runs of two shards may have one number.
    EXPECT_LT(encode(StateKey{7, RunKey(2), StateKind::kCallback, 9}),
              encode(StateKey{8, RunKey(2), StateKind::kHeader, 0}));
}

TEST(Keys, ALoadedRunSeesItsHeaderFirstAndNoOtherRun) {
    const KeyRange range = state_range(7, RunKey(5));
    const std::string header = encode(StateKey{7, RunKey(5), StateKind::kHeader, 0});
    EXPECT_TRUE(in(range, header));
    for (const StateKind kind : {StateKind::kInfo, StateKind::kActivity, StateKind::kUpdate}) {
        const std::string item = encode(StateKey{7, RunKey(5), kind, 1});
        EXPECT_TRUE(in(range, item));
        EXPECT_LT(header, item);
        EXPECT_TRUE(in(state_range(7, RunKey(5), kind), item));
        EXPECT_FALSE(in(state_range(7, RunKey(5), StateKind::kTimer), item));
    }
    EXPECT_FALSE(in(range, encode(StateKey{7, RunKey(4), StateKind::kUpdate, 9})));
    EXPECT_FALSE(in(range, encode(StateKey{6, RunKey(5), StateKind::kUpdate, 9})));
    EXPECT_FALSE(in(range, encode(StateKey{8, RunKey(5), StateKind::kHeader, 0})));
    EXPECT_FALSE(in(range, encode(StateKey{7, RunKey(6), StateKind::kHeader, 0})));
}

TEST(Keys, RunsOfAWorkflowIdExcludeIdsThatStartWithIt) {
    const KeyRange range = run_range(7, "ns", "order");
    EXPECT_TRUE(in(range, encode(RunRowKey{7, {"ns", "order", ""}})));
    EXPECT_TRUE(in(range, encode(RunRowKey{7, {"ns", "order", "\xff\xff"}})));
    EXPECT_FALSE(in(range, encode(RunRowKey{7, {"ns", "order-1", "r"}})));
    EXPECT_FALSE(in(range, encode(RunRowKey{7, {"ns", std::string("order\0", 6), "r"}})));
    EXPECT_FALSE(in(range, encode(RunRowKey{7, {"n", "order", "r"}})));
}

TEST(Keys, EventRangeIsHalfOpen) {
    const auto key = [](int first) { return encode(EventsKey{7, RunKey(1), EventId(first)}); };
    const KeyRange range = events_range(7, RunKey(1), EventId(3), EventId(300));
    EXPECT_FALSE(in(range, key(2)));
    EXPECT_TRUE(in(range, key(3)));
    EXPECT_TRUE(in(range, key(299)));
    EXPECT_FALSE(in(range, key(300)));
    EXPECT_TRUE(in(events_range(7, RunKey(1)), key(1)));
}

TEST(Keys, AnAlarmIsDueAtItsMomentAndNotBefore) {
    const auto due = [](Timestamp alarm, Timestamp now) {
        return in(alarm_range_due(7, now), encode(AlarmKey{7, alarm, RunKey(4)}));
    };
    const Timestamp time(Duration(1000));
    EXPECT_TRUE(due(time, time));
    EXPECT_TRUE(due(time, time + Duration(1)));
    EXPECT_FALSE(due(time, time - Duration(1)));
    EXPECT_TRUE(due(kNever, kNever));
    EXPECT_FALSE(in(alarm_range_due(7, kNever), encode(AlarmKey{8, time, RunKey(4)})));
}

TEST(Keys, AQueueIsReadFromASequenceOn) {
    const auto key = [](std::string_view queue, std::int64_t sequence) {
        return encode(DispatchKey{7, QueueKind::kActivity, "ns", std::string(queue), sequence});
    };
    const KeyRange range = dispatch_range(7, QueueKind::kActivity, "ns", "q", 5);
    EXPECT_FALSE(in(range, key("q", 4)));
    EXPECT_TRUE(in(range, key("q", 5)));
    EXPECT_FALSE(in(range, key("qq", 5)));
    EXPECT_FALSE(in(dispatch_range(7, QueueKind::kWorkflow, "ns", "q"), key("q", 5)));
}

TEST(Keys, AFeedIsReadBehindASequence) {
    EXPECT_FALSE(in(index_range(7, 5), encode(IndexKey{7, 5})));
    EXPECT_TRUE(in(index_range(7, 5), encode(IndexKey{7, 6})));
    EXPECT_FALSE(in(index_range(7, 5), encode(IndexKey{8, 6})));
    EXPECT_TRUE(in(index_range(7), encode(IndexKey{7, -3})));
}

TEST(Keys, AKeyOfAnotherTableIsRefusedByName) {
    const auto decoded = decode_run_key(encode(OutboxKey{7, 1}));
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_NE(message_of(decoded.status()).find("run table"), std::string::npos);
}

TEST(Keys, EveryTruncationIsRefused) {
    for (const std::string& key : sample_keys()) {
        for (std::size_t length = 1; length < key.size(); ++length) {
            const std::string part = key.substr(0, length);
            EXPECT_EQ(describe_key(part), to_hex(part)) << describe_key(key);
        }
    }
}

TEST(Keys, ASlotOutOfRangeIsRefused) {
    std::string key = encode(OutboxKey{kSlotCount - 1, 1});
    key[1] = '\x10';
    EXPECT_FALSE(decode_outbox_key(key).ok());
}

TEST(Values, AValueComesBackAsItWas) {
    const std::string value = wrap_value(Table::kEvents, with_zero());
    EXPECT_EQ(value.size(), 4u);
    const auto payload = unwrap_value(Table::kEvents, value);
    ASSERT_TRUE(payload.ok());
    EXPECT_EQ(*payload, with_zero());
    EXPECT_EQ(unwrap_value(Table::kEvents, wrap_value(Table::kEvents, "")).value(), "");
}

TEST(Values, AMessageComesBackAsItWas) {
    google::protobuf::Timestamp written;
    written.set_seconds(17);
    google::protobuf::Timestamp read;
    ASSERT_TRUE(unwrap_message(Table::kState, wrap_message(Table::kState, written), read).ok());
    EXPECT_EQ(read.seconds(), 17);
}

TEST(Values, AnUnknownVersionIsRefusedByVersionAndTable) {
    std::string value = wrap_value(Table::kDispatch, "payload");
    value[0] = 9;
    const absl::Status status = unwrap_value(Table::kDispatch, value).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(message_of(status),
              "a value of the dispatch table has format version 9, and this build reads version 1");
}

TEST(Values, EmptyAndBrokenValuesAreDataLoss) {
    EXPECT_EQ(unwrap_value(Table::kState, "").status().code(), absl::StatusCode::kDataLoss);
    google::protobuf::Timestamp message;
    const std::string broken = wrap_value(Table::kState, "\xff\xff\xff");
    EXPECT_EQ(unwrap_message(Table::kState, broken, message).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace stele::store
