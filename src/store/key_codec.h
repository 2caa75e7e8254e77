#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// How the components of a key become bytes so that comparing the bytes compares the components:
//
//   byte     1 byte
//   short    2 bytes, big-endian
//   integer  8 bytes, big-endian, sign bit flipped, so that negative numbers come first
//   text     its bytes with 00 written as 00 ff, closed by 00 01
//
// No encoded component is a prefix of another one of its type, so a scan over a prefix of
// components finds exactly the keys that start with them. docs/formats/keys.md has the proof.
namespace stele::store {

/// Builds one key. Not thread safe.
class KeyWriter {
public:
    KeyWriter& byte(std::uint8_t value);
    KeyWriter& short_integer(std::uint16_t value);
    KeyWriter& integer(std::int64_t value);
    KeyWriter& text(std::string_view value);

    std::string take() { return std::move(key_); }

private:
    std::string key_;
};

/// Takes one key apart. After the first component that is not well formed every further read gives
/// a zero value, and `complete` answers false. Not thread safe.
class KeyReader {
public:
    explicit KeyReader(std::string_view key) : rest_(key) {}

    std::uint8_t byte();
    std::uint16_t short_integer();
    std::int64_t integer();
    std::string text();

    /// True when every read succeeded and nothing is left.
    bool complete() const { return ok_ && rest_.empty(); }

private:
    std::optional<std::string_view> take(std::size_t count);

    std::string_view rest_;
    bool ok_ = true;
};

/// The smallest key that is greater than every key with this prefix; empty when there is none.
std::string prefix_end(std::string prefix);

/// Lower-case hexadecimal, two digits a byte.
std::string to_hex(std::string_view bytes);
/// nullopt when the text is not pairs of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view text);

}  // namespace stele::store
