#include "server/grpc/wire.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace stele::server {
namespace {

struct FreeDecompressor {
    void operator()(libdeflate_decompressor* made) const { libdeflate_free_decompressor(made); }
};

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

/// How long the result may be. gzip ends with it, but the sender may have lied: no more is believed
/// than deflate can make of so many bytes.
std::size_t guessed_size(std::string_view bytes) {
    constexpr std::size_t kRatioMax = 1032;
    constexpr std::size_t kUsualRatio = 4;
    constexpr std::size_t kSizeBytes = 4;
    if (!is_gzip(bytes) || bytes.size() < kSizeBytes) return bytes.size() * kUsualRatio;
    std::size_t size = 0;
    for (std::size_t i = 1; i <= kSizeBytes; ++i) {
        size = size << 8 | static_cast<std::uint8_t>(bytes[bytes.size() - i]);
    }
    return std::min(size, bytes.size() * kRatioMax);
}

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
    // Kept: making one takes longer than most messages.
    thread_local const std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(
        libdeflate_alloc_decompressor());
    if (decompressor == nullptr) return internal_error("no memory to decompress a message");
    const auto inflate = is_gzip(bytes) ? libdeflate_gzip_decompress : libdeflate_zlib_decompress;
    // A byte more than the limit tells a result that is too large from one that just fits.
    std::string result(std::min(guessed_size(bytes), limit) + 1, '\0');
    for (;;) {
        std::size_t size = 0;
        switch (inflate(decompressor.get(), bytes.data(), bytes.size(), result.data(),
                        result.size(), &size)) {
            case LIBDEFLATE_SUCCESS:
                if (size > limit) return message_too_large(size, limit);
                result.resize(size);
                return result;
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                if (result.size() > limit) return message_too_large(result.size(), limit);
                result.resize(std::min(2 * result.size(), limit + 1));
                break;
            default: return internal_error("grpc: failed to decompress the received message");
        }
    }
}

absl::Status message_too_large(std::size_t bytes, std::size_t limit) {
    return make_error(
        absl::StatusCode::kResourceExhausted,
        fmt::format("grpc: received message larger than max ({} vs. {})", bytes, limit));
}

}  // namespace stele::server
