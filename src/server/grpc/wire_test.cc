#include "server/grpc/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace stele::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// As zlib (window bits 15) or gzip (with 16 more).
std::string compressed(const std::string& text, int window_bits) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8,
                           Z_DEFAULT_STRATEGY),
              Z_OK);
    std::string result(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(result.data());
    stream.avail_out = static_cast<uInt>(result.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    return result;
}
std::string deflated(const std::string& text) { return compressed(text, 15); }
std::string gzipped(const std::string& text) { return compressed(text, 15 + 16); }

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
    for (const std::string& bytes : {deflated(text), gzipped(text)}) {
        EXPECT_EQ(*decompress(bytes, text.size()), text);
        EXPECT_EQ(*decompress(bytes, 10 * text.size()), text);
        for (const std::size_t limit : {text.size() - 1, std::size_t{10}}) {
            const auto larger = decompress(bytes, limit);
            EXPECT_EQ(larger.status().code(), absl::StatusCode::kResourceExhausted);
            EXPECT_THAT(message_of(larger.status()), HasSubstr("larger than max"));
        }
    }
}

TEST(Wire, MessagesOfEverySizeAreDecompressed) {
    for (std::size_t size = 0; size < 5'000; size = 2 * size + 1) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i * i * 31 % 251);
        EXPECT_EQ(*decompress(deflated(text), size), text);
        EXPECT_EQ(*decompress(gzipped(text), size), text);
    }
}

TEST(Wire, AGzipThatLiesAboutItsSizeIsRefused) {
    for (const char byte : {'\0', '\xff'}) {
        std::string bytes = gzipped("a message of some length");
        bytes.replace(bytes.size() - 4, 4, 4, byte);
        EXPECT_EQ(decompress(bytes, 1'000'000).status().code(), absl::StatusCode::kInternal);
    }
}

TEST(Wire, WhatIsNotCompressedIsRefused) {
    for (const std::string& wrong :
         {std::string(), std::string("plain"), std::string("\x1f\x8b"),
          deflated("text").substr(0, 6), gzipped("text").substr(0, 15)}) {
        EXPECT_EQ(decompress(wrong, 1000).status().code(), absl::StatusCode::kInternal);
    }
}

}  // namespace
}  // namespace stele::server
