#include "store/upgrade.h"

#include "store/dump.h"
#include "store/format.h"
#include "store/forwarding_store.h"
#include "store/key_codec.h"
#include "store/keys.h"
#include "store/memory/memory_store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace stele::store {
namespace {

constexpr char kGoldenFile[] = "src/store/testdata/keys-1.golden";

/// What the keys of version 1 say, by the key.
std::map<std::string, std::string> keys_of_layout_1() {
    std::map<std::string, std::string> keys;
    std::ifstream file(kGoldenFile);
    EXPECT_TRUE(file) << kGoldenFile;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.front() == '#') continue;
        const auto space = line.find(' ');
        keys[from_hex(line.substr(0, space)).value()] = line.substr(space + 1);
    }
    return keys;
}

/// A store of version 1: its golden keys, each with what it says for a value, and rows of other tables.
void fill(Store& store, const std::string& padding = {}) {
    WriteBatch batch;
    batch.put(meta_key("format"), "\x01stele");
    batch.put(encode(AlarmKey{7, kNever, RunKey(1)}), "alarm");
    batch.put(encode(OutboxKey{4095, 1}), "outbox");
    for (const auto& [key, says] : keys_of_layout_1()) batch.put(key, says + padding);
    ASSERT_TRUE(store.write(batch, Sync::kYes).ok());
}

void expect_upgraded(Store& store, const std::string& padding = {}) {
    std::size_t moved = 0;
    for (const Table table : {Table::kState, Table::kEvents}) {
        const KeyRange range = table_range(table);
        for (const auto row = store.scan(range.begin, range.end); row->valid(); row->next()) {
            EXPECT_EQ(describe_key(row->key()) + padding, row->value());
            ++moved;
        }
    }
    EXPECT_EQ(moved, keys_of_layout_1().size());
    EXPECT_EQ(store.get(encode(AlarmKey{7, kNever, RunKey(1)})).value(), "alarm");
    EXPECT_EQ(store.get(encode(OutboxKey{4095, 1})).value(), "outbox");
    EXPECT_EQ(store.get(meta_key("format")).value(), "\x02stele");
    EXPECT_EQ(store.get(meta_key("upgrade")).value(), std::nullopt);
}

/// Takes so many writes and fails then.
class FailingStore final : public ForwardingStore {
public:
    FailingStore(Store& store, int writes) : ForwardingStore(store), writes_(writes) {}

    absl::Status write(const WriteBatch& batch, Sync sync) override {
        if (writes_-- == 0) return unavailable("no more writes");
        return ForwardingStore::write(batch, sync);
    }

private:
    int writes_;
};

TEST(UpgradeTest, EveryRowOfARunMovesToItsNewPlace) {
    const auto store = make_memory_store();
    fill(*store);
    ASSERT_GT(keys_of_layout_1().size(), 10U);
    std::vector<std::string> notices;
    const OpeningNotice notice = [&](const std::string& text) { notices.push_back(text); };
    ASSERT_TRUE(check_format(*store, "here", notice).ok());
    expect_upgraded(*store);
    const std::string upgraded = dump(*store).value();
    ASSERT_TRUE(check_format(*store, "here", notice).ok());
    EXPECT_EQ(dump(*store).value(), upgraded);
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_TRUE(notices[0].starts_with("here is brought from format version 1 to 2")) << notices[0];
}

TEST(UpgradeTest, GoesOnWhereItWasInterrupted) {
    // Rows so large that each is a write of its own.
    const std::string padding(1U << 20, '.');
    const int most = static_cast<int>(keys_of_layout_1().size()) + 4;
    int interrupted = 0;
    for (int writes = 0; writes < most; ++writes) {
        const auto store = make_memory_store();
        fill(*store, padding);
        FailingStore failing(*store, writes);
        if (!check_format(failing, "here").ok()) ++interrupted;
        if (writes > 0) {
            EXPECT_EQ(store->get(meta_key("format")).value(), "\x02stele");
        }
        ASSERT_TRUE(check_format(*store, "here").ok());
        expect_upgraded(*store, padding);
    }
    EXPECT_GT(interrupted, 10);
}

TEST(UpgradeTest, AKeyThatIsNoneIsDataLoss) {
    const auto store = make_memory_store();
    fill(*store);
    WriteBatch batch;
    batch.put(std::string("s\0\x01\x02", 4), "");
    ASSERT_TRUE(store->write(batch, Sync::kYes).ok());
    EXPECT_EQ(check_format(*store, "here").code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace stele::store
