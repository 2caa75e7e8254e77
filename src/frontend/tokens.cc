#include "frontend/tokens.h"

#include "base/check.h"
#include "base/probe.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <memory>

namespace stele::frontend {
namespace {

constexpr std::size_t kCodeBytes = 16;
constexpr std::size_t kKeyBytes = 16;

// The purpose is authenticated with the payload: a page token can not pass for a task token.
constexpr char kTask = 't';
constexpr char kPage = 'p';
constexpr char kList = 'l';
constexpr char kRunList = 'r';

using Context = std::unique_ptr<EVP_MAC_CTX, void (*)(EVP_MAC_CTX*)>;

Context make_context() {
    EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
    Context context(EVP_MAC_CTX_new(algorithm), EVP_MAC_CTX_free);
    EVP_MAC_free(algorithm);  // the context keeps it
    STELE_CHECK(context != nullptr, "SipHash is not there");
    return context;
}

}  // namespace

TokenSigner::TokenSigner(const std::string& key) : key_(key, 0, kKeyBytes) {
    STELE_CHECK(key_.size() == kKeyBytes, "the key for tokens is too short");
    (void)code_of(kTask, {});  // so that a machine without the algorithm is found out now
}

std::string TokenSigner::sign(const wire::TaskToken& token) const { return seal(kTask, token); }
std::string TokenSigner::sign(const wire::PageToken& token) const { return seal(kPage, token); }
std::string TokenSigner::sign(const wire::ListToken& token) const { return seal(kList, token); }
std::string TokenSigner::sign(const wire::RunListToken& token) const {
    return seal(kRunList, token);
}

absl::StatusOr<wire::TaskToken> TokenSigner::open_task(std::string_view bytes) const {
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

absl::StatusOr<wire::RunListToken> TokenSigner::open_run_list(std::string_view bytes) const {
    wire::RunListToken token;
    if (!unseal(kRunList, bytes, token)) return invalid_argument("Invalid NextPageToken.");
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
    const bool forged = CRYPTO_memcmp(expected.data(), code.data(), kCodeBytes) != 0;
    STELE_PROBE_IF("frontend.token-forged", forged);
    if (forged && !STELE_BUG("frontend.token-not-authenticated")) return false;
    return token.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
}

std::string TokenSigner::code_of(char purpose, std::string_view payload) const {
    // Looking for the algorithm takes longer than a code.
    thread_local const Context context = make_context();
    std::array<unsigned char, kCodeBytes> digest;
    std::size_t size = 0;
    const bool done =
        EVP_MAC_init(context.get(), reinterpret_cast<const unsigned char*>(key_.data()),
                     key_.size(), nullptr) == 1 &&
        EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(&purpose), 1) == 1 &&
        EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(payload.data()),
                       payload.size()) == 1 &&
        EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1;
    STELE_CHECK(done && size == kCodeBytes, "SipHash failed");
    return {reinterpret_cast<const char*>(digest.data()), kCodeBytes};
}

}  // namespace stele::frontend
