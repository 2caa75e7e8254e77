#pragma once

#include "base/status.h"
#include "base/time.h"

#include <optional>
#include <string>
#include <string_view>

// The small grammars of gRPC over HTTP/2 (the protocol's document "gRPC over HTTP2"): how messages
// are framed, and how times and statuses are written into headers. Pure functions.
namespace stele::server {

/// A compressed-flag and a length stand before each message.
inline constexpr std::size_t kMessagePrefixBytes = 5;

struct MessagePrefix {
    bool compressed = false;
    std::size_t length = 0;
};
/// `bytes` has kMessagePrefixBytes. Refuses a flag that means nothing.
absl::StatusOr<MessagePrefix> read_message_prefix(std::string_view bytes);
/// The prefix of a message that is not compressed.
std::string message_prefix(std::size_t length);

/// "20S" or "100m": up to eight digits and a unit; what is longer than a century counts as one.
/// nullopt for anything else.
std::optional<Duration> parse_timeout(std::string_view text);

/// A message as `grpc-message` carries it: everything but printable ASCII is percent-encoded.
std::string encode_message(std::string_view message);
/// Binary headers: base64 without padding.
std::string encode_binary(std::string_view bytes);

/// gzip or zlib, told apart by their first bytes. RESOURCE_EXHAUSTED when the result would be larger
/// than `limit`, INTERNAL when the bytes are neither.
absl::StatusOr<std::string> decompress(std::string_view bytes, std::size_t limit);

absl::Status message_too_large(std::size_t bytes, std::size_t limit);

}  // namespace stele::server
