#include "store/key_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace stele::store {
namespace {

std::string text_key(std::string_view text) { return KeyWriter().text(text).take(); }
std::string integer_key(std::int64_t value) { return KeyWriter().integer(value).take(); }

/// Short texts over the bytes that the escape has to get right.
std::vector<std::string> awkward_texts() {
    const std::string alphabet("\x00\x01\x02\x61\xfe\xff", 6);
    std::vector<std::string> texts = {""};
    for (std::size_t i = 0; i < texts.size() && texts[i].size() < 4; ++i) {
        for (const char byte : alphabet) texts.push_back(texts[i] + byte);
    }
    return texts;
}

TEST(KeyCodec, TextKeepsItsOrder) {
    std::vector<std::string> texts = awkward_texts();
    std::sort(texts.begin(), texts.end());
    for (std::size_t i = 1; i < texts.size(); ++i) {
        EXPECT_LT(text_key(texts[i - 1]), text_key(texts[i])) << to_hex(texts[i]);
    }
}

TEST(KeyCodec, TextComesBackAsItWas) {
    for (const std::string& text : awkward_texts()) {
        const std::string key = text_key(text);
        KeyReader reader(key);
        EXPECT_EQ(reader.text(), text);
        EXPECT_TRUE(reader.complete());
    }
}

TEST(KeyCodec, NoTextIsAPrefixOfAnother) {
    const std::vector<std::string> texts = awkward_texts();
    std::mt19937 random(7);
    for (int i = 0; i < 200'000; ++i) {
        const std::string& a = texts[random() % texts.size()];
        const std::string& b = texts[random() % texts.size()];
        if (a == b) continue;
        EXPECT_NE(text_key(b).substr(0, text_key(a).size()), text_key(a));
    }
}

TEST(KeyCodec, IntegersKeepTheirOrder) {
    const std::vector<std::int64_t> values = {
        std::numeric_limits<std::int64_t>::min(), -256, -1, 0, 1, 255, 256,
        std::numeric_limits<std::int64_t>::max()};
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::string key = integer_key(values[i]);
        KeyReader reader(key);
        EXPECT_EQ(reader.integer(), values[i]);
        if (i > 0) {
            EXPECT_LT(integer_key(values[i - 1]), key);
        }
    }
}

TEST(KeyCodec, EveryTruncationIsRefused) {
    const std::string key =
        KeyWriter().byte(7).short_integer(513).text(std::string("a\0b", 3)).integer(-4).take();
    for (std::size_t length = 0; length <= key.size(); ++length) {
        KeyReader reader(std::string_view(key).substr(0, length));
        reader.byte();
        reader.short_integer();
        reader.text();
        reader.integer();
        EXPECT_EQ(reader.complete(), length == key.size()) << length;
    }
}

TEST(KeyCodec, BytesBehindTheLastComponentAreRefused) {
    const std::string key = integer_key(1) + "x";
    KeyReader reader(key);
    EXPECT_EQ(reader.integer(), 1);
    EXPECT_FALSE(reader.complete());
}

TEST(KeyCodec, AnUnknownEscapeIsRefused) {
    KeyReader reader(std::string_view("a\x00\x02", 3));
    EXPECT_EQ(reader.text(), "");
    EXPECT_FALSE(reader.complete());
}

TEST(KeyCodec, PrefixEndIsTheFirstKeyBehindThePrefix) {
    EXPECT_EQ(prefix_end("ab"), "ac");
    EXPECT_EQ(prefix_end("a\xff\xff"), "b");
    EXPECT_EQ(prefix_end("a\x7f"), "a\x80");
    EXPECT_EQ(prefix_end("\xff"), "");
    EXPECT_EQ(prefix_end(""), "");
}

TEST(KeyCodec, HexReadsWhatItWrote) {
    const std::string bytes("\x00\x7f\x80\xff", 4);
    EXPECT_EQ(to_hex(bytes), "007f80ff");
    EXPECT_EQ(from_hex("007F80ff"), bytes);
    EXPECT_EQ(from_hex("0"), std::nullopt);
    EXPECT_EQ(from_hex("0g"), std::nullopt);
}

}  // namespace
}  // namespace stele::store
