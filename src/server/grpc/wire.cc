#include "server/grpc/wire.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace stele::server {
namespace {

/// A zlib stream that is used again: making one takes longer than most messages.
class Inflater {
public:
    Inflater() = default;
    ~Inflater() {
        if (made_) inflateEnd(&stream_);
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    /// At the start of a message; null when there is no memory for it.
    z_stream* begin() {
        constexpr int kEitherHeader = 15 + 32;  // the largest window, and zlib finds the header out
        if (!made_) {
            made_ = inflateInit2(&stream_, kEitherHeader) == Z_OK;
            return made_ ? &stream_ : nullptr;
        }
        return inflateReset2(&stream_, kEitherHeader) == Z_OK ? &stream_ : nullptr;
    }

private:
    z_stream stream_{};
    bool made_ = false;
};

}  // namespace

absl::StatusOr<MessagePrefix> read_message_prefix(std::string_view bytes) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    if (byte(0) > 1) {
        return internal_error(fmt::format("grpc: invalid compression flag {}", byte(0)));
    }
    MessagePrefix prefix;
    prefix.compressed = byte(0) == 1;
    for (std::size_t i = 1; i < kMessagePrefixBytes; ++i)
        prefix.length = prefix.length << 8 | byte(i);
    return prefix;
}

std::string message_prefix(std::size_t length) {
    std::string prefix(kMessagePrefixBytes, '\0');
    for (std::size_t i = kMessagePrefixBytes - 1; i > 0; --i) {
        prefix[i] = static_cast<char>(length & 0xff);
        length >>= 8;
    }
    return prefix;
}

std::optional<Duration> parse_timeout(std::string_view text) {
    constexpr std::size_t kDigitsMax = 8;
    if (text.size() < 2 || text.size() > kDigitsMax + 1) return std::nullopt;
    std::int64_t value = 0;
    for (const char digit : text.substr(0, text.size() - 1)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        value = value * 10 + (digit - '0');
    }
    // A century is as good as for ever, and can still be added to the time of day.
    constexpr std::int64_t kHoursMax = 100 * 366 * 24;
    switch (text.back()) {
        case 'H': return std::chrono::hours(std::min(value, kHoursMax));
        case 'M': return std::chrono::minutes(std::min(value, kHoursMax * 60));
        case 'S': return std::chrono::seconds(value);
        case 'm': return std::chrono::milliseconds(value);
        case 'u': return std::chrono::microseconds(value);
        case 'n': return std::chrono::nanoseconds(value);
        default: return std::nullopt;
    }
}

std::string encode_message(std::string_view message) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(message.size());
    for (const char letter : message) {
        if (letter >= ' ' && letter <= '~' && letter != '%') {
            encoded += letter;
            continue;
        }
        const auto byte = static_cast<std::uint8_t>(letter);
        encoded += {'%', kHex[byte >> 4], kHex[byte & 0xf]};
    }
    return encoded;
}

std::string encode_binary(std::string_view bytes) {
    std::string encoded;
    absl::Base64Escape({bytes.data(), bytes.size()}, &encoded);
    while (encoded.ends_with('=')) encoded.pop_back();
    return encoded;
}

absl::StatusOr<std::string> decompress(std::string_view bytes, std::size_t limit) {
    thread_local Inflater inflater;
    z_stream* const stream = inflater.begin();
    if (stream == nullptr) return internal_error("zlib can not start");
    stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream->avail_in = static_cast<uInt>(bytes.size());
    std::string result;
    std::array<char, 16 * 1024> part;
    int state = Z_OK;
    while (state == Z_OK && result.size() <= limit) {
        stream->next_out = reinterpret_cast<Bytef*>(part.data());
        stream->avail_out = static_cast<uInt>(part.size());
        state = inflate(stream, Z_NO_FLUSH);
        result.append(part.data(), part.size() - stream->avail_out);
        if (state == Z_BUF_ERROR || (stream->avail_in == 0 && stream->avail_out != 0)) break;
    }
    if (result.size() > limit) return message_too_large(result.size(), limit);
    if (state != Z_STREAM_END) {
        return internal_error("grpc: failed to decompress the received message");
    }
    return result;
}

absl::Status message_too_large(std::size_t bytes, std::size_t limit) {
    return make_error(
        absl::StatusCode::kResourceExhausted,
        fmt::format("grpc: received message larger than max ({} vs. {})", bytes, limit));
}

}  // namespace stele::server
