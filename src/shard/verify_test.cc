#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shard/verify.h"

#include "shard/server_testing.h"
#include "store/keys.h"

namespace stele::shard::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

/// A store with a workflow task, an activity and a timer in it.
void fill(TestServer& server) {
    ASSERT_TRUE(server.start("w").ok());
    const auto task = server.poll();
    ASSERT_TRUE(task.ok());
    ASSERT_TRUE(
        server.complete(*task, {schedule_activity("a"), start_timer("t", std::chrono::hours(1))})
            .ok());
    ASSERT_TRUE(server.signal("w", "s").ok());
    server.settle();
}

/// The keys of a table.
std::vector<std::string> keys_of(store::Store& store, store::Table table) {
    std::vector<std::string> keys;
    const store::KeyRange range = store::table_range(table);
    const auto cursor = store.scan(range.begin, range.end);
    for (; cursor->valid(); cursor->next()) keys.emplace_back(cursor->key());
    return keys;
}

TEST(Verify, EveryMissingRowIsNoticed) {
    TestServer intact;
    fill(intact);
    ASSERT_THAT(verify_store(intact.disk().content()), IsEmpty());
    for (const store::Table table :
         {store::Table::kCurrent, store::Table::kRun, store::Table::kEvents,
          store::Table::kDispatch, store::Table::kAlarm, store::Table::kState}) {
        const auto keys = keys_of(intact.disk().content(), table);
        ASSERT_THAT(keys, Not(IsEmpty()));
        for (const std::string& key : keys) {
            const auto decoded = store::decode_state_key(key);
            // Properties and request ids stand for themselves: nothing else tells of them.
            if (decoded.ok() && (decoded->kind == store::StateKind::kAttributes ||
                                 decoded->kind == store::StateKind::kRequestId)) {
                continue;
            }
            const std::string value = *intact.disk().content().get(key).value();
            store::WriteBatch erase;
            erase.erase(key);
            ASSERT_TRUE(intact.disk().content().write(erase, store::Sync::kYes).ok());
            EXPECT_THAT(verify_store(intact.disk().content()), Not(IsEmpty()))
                << store::describe_key(key);
            store::WriteBatch put;
            put.put(key, value);
            ASSERT_TRUE(intact.disk().content().write(put, store::Sync::kYes).ok());
        }
    }
    EXPECT_THAT(verify_store(intact.disk().content()), IsEmpty());
}

}  // namespace
}  // namespace stele::shard::testing
