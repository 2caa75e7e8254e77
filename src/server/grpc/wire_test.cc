#include "server/grpc/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace stele::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string deflated(const std::string& text) {
    uLongf size = compressBound(text.size());
    std::string result(size, '\0');
    EXPECT_EQ(compress(reinterpret_cast<Bytef*>(result.data()), &size,
                       reinterpret_cast<const Bytef*>(text.data()), text.size()),
              Z_OK);
    result.resize(size);
    return result;
}

TEST(Wire, APrefixIsReadAsItWasWritten) {
    for (const std::size_t length : {0U, 1U, 255U, 256U, 70'000U, 4'194'304U}) {
        const auto prefix = read_message_prefix(message_prefix(length));
        ASSERT_TRUE(prefix.ok());
        EXPECT_FALSE(prefix->compressed);
        EXPECT_EQ(prefix->length, length);
    }
    EXPECT_TRUE(read_message_prefix(std::string("\1\0\0\0\7", 5))->compressed);
    EXPECT_FALSE(read_message_prefix(std::string("\2\0\0\0\7", 5)).ok());
}

TEST(Wire, TimeoutsHaveAUnitAndUpToEightDigits) {
    EXPECT_EQ(parse_timeout("20S"), 20s);
    EXPECT_EQ(parse_timeout("1H"), 1h);
    EXPECT_EQ(parse_timeout("3M"), 3min);
    EXPECT_EQ(parse_timeout("99999999m"), 99'999'999ms);
    EXPECT_EQ(parse_timeout("5u"), 5us);
    EXPECT_EQ(parse_timeout("5n"), 5ns);
    for (const char* wrong : {"", "S", "5", "-5S", "5.5S", "123456789S", "5s", "5 S"}) {
        EXPECT_EQ(parse_timeout(wrong), std::nullopt) << wrong;
    }
    EXPECT_EQ(parse_timeout("99999999H"), parse_timeout("99999999M"))
        << "both are longer than clocks count";
}

TEST(Wire, MessagesAreEncodedWhereHeadersCanNotCarryThem) {
    EXPECT_EQ(encode_message("workflow not found for ID: a"), "workflow not found for ID: a");
    EXPECT_EQ(encode_message("100%\n"), "100%25%0A");
    EXPECT_EQ(encode_message("\xc3\xa4"), "%C3%A4");
}

TEST(Wire, BinaryHeadersHaveNoPadding) {
    EXPECT_EQ(encode_binary(""), "");
    EXPECT_EQ(encode_binary("a"), "YQ");
    EXPECT_EQ(encode_binary(std::string("\0\xff", 2)), "AP8");
}

TEST(Wire, AMessageIsDecompressedUpToItsLimit) {
    const std::string text(100'000, 'x');
    EXPECT_EQ(*decompress(deflated(text), text.size()), text);
    const auto larger = decompress(deflated(text), text.size() - 1);
    EXPECT_EQ(larger.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(message_of(larger.status()), HasSubstr("larger than max"));
}

TEST(Wire, WhatIsNotCompressedIsRefused) {
    for (const std::string& wrong :
         {std::string(), std::string("plain"), deflated("text").substr(0, 6)}) {
        EXPECT_EQ(decompress(wrong, 1000).status().code(), absl::StatusCode::kInternal);
    }
}

}  // namespace
}  // namespace stele::server
