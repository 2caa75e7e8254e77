#include "fuzz/target.h"

#include "server/grpc/wire.h"

#include <absl/strings/escaping.h>

// The small grammars of gRPC, fed by a stranger: what stands in front of a message, times, compressed
// messages, and statuses on their way back.
namespace {

using namespace stele;

int digit(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

std::string percent_decoded(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            STELE_CHECK(text[i] >= ' ' && text[i] <= '~', "a byte that no header may have");
            bytes += text[i];
            continue;
        }
        STELE_CHECK(i + 2 < text.size(), "half an escape");
        bytes += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
    }
    return bytes;
}

void check_prefix(std::string_view bytes) {
    if (bytes.size() < server::kMessagePrefixBytes) return;
    const auto prefix = server::read_message_prefix(bytes);
    if (!prefix.ok()) {
        STELE_CHECK(static_cast<unsigned char>(bytes[0]) > 1, "a good flag was refused");
        return;
    }
    if (prefix->compressed) return;
    STELE_CHECK(
        server::message_prefix(prefix->length) == bytes.substr(0, server::kMessagePrefixBytes),
        "another length was read");
}

}  // namespace

STELE_FUZZ_TARGET(wire) {
    constexpr std::size_t kLimit = 64 << 10;
    check_prefix(input);
    if (const auto span = server::parse_timeout(input)) {
        STELE_CHECK(*span >= Duration::zero() && *span <= std::chrono::hours(100 * 366 * 24),
                    "a time that can not be added to now");
    }
    STELE_CHECK(percent_decoded(server::encode_message(input)) == input, "a message was changed");
    std::string back;
    std::string base64 = server::encode_binary(input);
    base64.append((4 - base64.size() % 4) % 4, '=');
    STELE_CHECK(absl::Base64Unescape(base64, &back) && back == input, "a header was changed");

    const auto plain = server::decompress(input, kLimit);
    if (plain.ok()) {
        STELE_CHECK(plain->size() <= kLimit, "a message over the limit was taken");
    } else {
        STELE_CHECK(plain.status().code() == absl::StatusCode::kResourceExhausted ||
                        plain.status().code() == absl::StatusCode::kInternal,
                    "another error");
    }
}
