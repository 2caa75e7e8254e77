#include "store/key_codec.h"

#include <array>
#include <utility>

namespace stele::store {
namespace {

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xff';
constexpr char kTextEnd = '\x01';

template <typename Unsigned>
void append_big_endian(std::string& key, Unsigned value) {
    std::array<char, sizeof(Unsigned)> bytes;
    for (std::size_t i = bytes.size(); i > 0; --i) {
        bytes[i - 1] = static_cast<char>(value & 0xff);
        value = static_cast<Unsigned>(value >> 8);
    }
    key.append(bytes.data(), bytes.size());
}

std::uint64_t from_big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

}  // namespace

KeyWriter& KeyWriter::byte(std::uint8_t value) {
    key_.push_back(static_cast<char>(value));
    return *this;
}

KeyWriter& KeyWriter::short_integer(std::uint16_t value) {
    append_big_endian(key_, value);
    return *this;
}

KeyWriter& KeyWriter::integer(std::int64_t value) {
    append_big_endian(key_, static_cast<std::uint64_t>(value) ^ kSignBit);
    return *this;
}

KeyWriter& KeyWriter::text(std::string_view value) {
    constexpr std::size_t kBehind = 24;  // what may follow without another allocation
    key_.reserve(key_.size() + value.size() + kBehind);
    // Names hardly ever hold a zero.
    for (std::size_t zero; (zero = value.find(kEscape)) != std::string_view::npos;) {
        key_.append(value.substr(0, zero + 1)).push_back(kEscapedZero);
        value.remove_prefix(zero + 1);
    }
    key_.append(value);
    key_.push_back(kEscape);
    key_.push_back(kTextEnd);
    return *this;
}

std::optional<std::string_view> KeyReader::take(std::size_t count) {
    if (!ok_ || rest_.size() < count) {
        ok_ = false;
        return std::nullopt;
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
}

std::uint8_t KeyReader::byte() {
    const auto bytes = take(1);
    return bytes ? static_cast<std::uint8_t>(bytes->front()) : std::uint8_t{0};
}

std::uint16_t KeyReader::short_integer() {
    const auto bytes = take(2);
    return bytes ? static_cast<std::uint16_t>(from_big_endian(*bytes)) : std::uint16_t{0};
}

std::int64_t KeyReader::integer() {
    const auto bytes = take(8);
    return bytes ? static_cast<std::int64_t>(from_big_endian(*bytes) ^ kSignBit) : 0;
}

std::string KeyReader::text() {
    std::string value;
    for (;;) {
        const auto first = take(1);
        if (!first) return {};
        if (first->front() != kEscape) {
            value.push_back(first->front());
            continue;
        }
        const auto second = take(1);
        if (second && second->front() == kTextEnd) return value;
        if (!second || second->front() != kEscapedZero) {
            ok_ = false;
            return {};
        }
        value.push_back(kEscape);
    }
}

std::string prefix_end(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
    if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
    return prefix;
}

std::string to_hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text.push_back(kDigits[value >> 4]);
        text.push_back(kDigits[value & 15]);
    }
    return text;
}

std::optional<std::string> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(high << 4 | low));
    }
    return bytes;
}

}  // namespace stele::store
