#include "store/dump.h"

#include "store/memory/memory_store.h"

#include <gtest/gtest.h>

namespace stele::store {
namespace {

TEST(Dump, ReadsWhatItWrote) {
    const auto store = make_memory_store();
    WriteBatch batch;
    batch.put("b", std::string("\0\xff", 2));
    batch.put("a", "");
    ASSERT_TRUE(store->write(batch, Sync::kNo).ok());
    const std::string text = dump(*store).value();
    EXPECT_EQ(text, "61 -\n62 00ff\n");

    const auto copy = make_memory_store();
    ASSERT_TRUE(copy->write(parse_dump("# comment\n\n" + text).value(), Sync::kNo).ok());
    EXPECT_EQ(dump(*copy).value(), text);
}

TEST(Dump, ABadLineIsNamed) {
    for (const char* bad : {"61", "6 00", "61 0", "61 zz", " 00", "61  00"}) {
        const auto batch = parse_dump("61 00\n" + std::string(bad));
        EXPECT_EQ(batch.status().code(), absl::StatusCode::kInvalidArgument) << bad;
        EXPECT_NE(message_of(batch.status()).find("line 2"), std::string::npos) << bad;
    }
}

TEST(Dump, AMissingFileIsNamed) {
    const auto batch = read_dump("no/such/file");
    EXPECT_EQ(batch.status().code(), absl::StatusCode::kNotFound);
    EXPECT_NE(message_of(batch.status()).find("no/such/file"), std::string::npos);
}

}  // namespace
}  // namespace stele::store
