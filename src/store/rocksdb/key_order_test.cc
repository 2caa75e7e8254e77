#include "store/rocksdb/key_order.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace stele::store {
namespace {

int sign(int number) { return (number > 0) - (number < 0); }

TEST(KeyOrderTest, IsTheOrderOfRocksDb) {
    std::mt19937 random(7);
    const auto below = [&](unsigned limit) { return random() % limit; };
    int equal = 0;
    for (int round = 0; round < 100'000; ++round) {
        std::string a(below(40), '\0');
        for (char& byte : a) byte = static_cast<char>(below(256));
        // Mostly a neighbour: the same key, cut, longer, or with one other byte.
        std::string b = a;
        if (below(3) == 0) b.resize(below(40), static_cast<char>(below(256)));
        if (!b.empty() && below(2) == 0)
            b[below(static_cast<unsigned>(b.size()))] = static_cast<char>(below(256));
        const int expected = sign(rocksdb::BytewiseComparator()->Compare(a, b));
        ASSERT_EQ(sign(key_order().Compare(a, b)), expected) << round;
        ASSERT_EQ(sign(key_order().Compare(b, a)), -expected) << round;
        ASSERT_EQ(key_order().Equal(a, b), expected == 0) << round;
        if (expected == 0) ++equal;
    }
    EXPECT_GT(equal, 1'000);
}

TEST(KeyOrderTest, ReadsBytesAsUnsigned) {
    EXPECT_LT(key_order().Compare(std::string("\x7f"), std::string("\x80")), 0);
    EXPECT_LT(key_order().Compare(std::string("1234567\x7f"), std::string("1234567\x80")), 0);
    EXPECT_LT(key_order().Compare(std::string("\x7f"
                                              "2345678"),
                                  std::string("\x80"
                                              "2345678")),
              0);
}

TEST(KeyOrderTest, HasTheNameThatStoresHold) {
    // RocksDB refuses a database that was written in an order of another name.
    EXPECT_STREQ(key_order().Name(), "leveldb.BytewiseComparator");
}

}  // namespace
}  // namespace stele::store
