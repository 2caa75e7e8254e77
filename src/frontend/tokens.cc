#include "frontend/tokens.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <utility>

namespace stele::frontend {
namespace {

constexpr std::size_t kCodeBytes = 16;
constexpr std::size_t kMinimumKeyBytes = 16;

// The purpose is authenticated with the payload: a page token can not pass for a task token.
constexpr char kTask = 't';
constexpr char kPage = 'p';
constexpr char kList = 'l';

}  // namespace

TokenSigner::TokenSigner(std::string key) : key_(std::move(key)) {
    STELE_CHECK(key_.size() >= kMinimumKeyBytes, "the key for tokens is too short");
}

std::string TokenSigner::sign(const wire::TaskToken& token) const { return seal(kTask, token); }
std::string TokenSigner::sign(const wire::PageToken& token) const { return seal(kPage, token); }
std::string TokenSigner::sign(const wire::ListToken& token) const { return seal(kList, token); }

absl::StatusOr<wire::TaskToken> TokenSigner::open_task(std::string_view bytes) const {
    if (bytes.empty()) return invalid_argument("Task token not set on request.");
    wire::TaskToken token;
    if (!unseal(kTask, bytes, token)) return invalid_argument("Error deserializing task token.");
    return token;
}

absl::StatusOr<wire::PageToken> TokenSigner::open_page(std::string_view bytes) const {
    wire::PageToken token;
    if (!unseal(kPage, bytes, token)) return invalid_argument("Invalid NextPageToken.");
    return token;
}

absl::StatusOr<wire::ListToken> TokenSigner::open_list(std::string_view bytes) const {
    wire::ListToken token;
    if (!unseal(kList, bytes, token)) return invalid_argument("Invalid NextPageToken.");
    return token;
}

std::string TokenSigner::seal(char purpose, const google::protobuf::MessageLite& token) const {
    std::string bytes = token.SerializeAsString();
    bytes += code_of(purpose, bytes);
    return bytes;
}

bool TokenSigner::unseal(char purpose, std::string_view bytes,
                         google::protobuf::MessageLite& token) const {
    if (bytes.size() < kCodeBytes) return false;
    const std::string_view payload = bytes.substr(0, bytes.size() - kCodeBytes);
    const std::string_view code = bytes.substr(payload.size());
    const std::string expected = code_of(purpose, payload);
    if (CRYPTO_memcmp(expected.data(), code.data(), kCodeBytes) != 0) return false;
    return token.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
}

std::string TokenSigner::code_of(char purpose, std::string_view payload) const {
    std::string message;
    message.reserve(payload.size() + 1);
    message += purpose;
    message += payload;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned int size = 0;
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(), &size);
    STELE_CHECK(size >= kCodeBytes, "the digest is too short");
    return {reinterpret_cast<const char*>(digest.data()), kCodeBytes};
}

}  // namespace stele::frontend
