#include "frontend/tokens.h"

#include "base/check.h"
#include "base/probe.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

namespace stele::frontend {
namespace {

constexpr std::size_t kCodeBytes = 16;
constexpr std::size_t kKeyBytes = 16;

// The purpose is authenticated with the payload: a page token can not pass for a task token.
constexpr char kTask = 't';
constexpr char kPage = 'p';
constexpr char kList = 'l';
constexpr char kRunList = 'r';

}  // namespace

struct TokenSigner::Mac {
    using Context = std::unique_ptr<EVP_MAC_CTX, void (*)(EVP_MAC_CTX*)>;

    explicit Mac(std::string_view key)
        : key(key),
          algorithm(EVP_MAC_fetch(nullptr, "SIPHASH", nullptr)),
          keyed(EVP_MAC_CTX_new(algorithm)) {
        begin(keyed);
    }
    ~Mac() {
        EVP_MAC_CTX_free(keyed);
        EVP_MAC_free(algorithm);
    }
    Mac(const Mac&) = delete;
    Mac& operator=(const Mac&) = delete;

    /// Ready for a message. Of this thread: a copy of the keyed one costs more than a code.
    EVP_MAC_CTX* fresh_context() const {
        thread_local std::uint64_t owner = 0;
        thread_local Context context{nullptr, EVP_MAC_CTX_free};
        if (owner != number) {
            context = Context(EVP_MAC_CTX_dup(keyed), EVP_MAC_CTX_free);
            owner = number;
        } else {
            begin(context.get());
        }
        return context.get();
    }

    void begin(EVP_MAC_CTX* context) const {
        STELE_CHECK(EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(key.data()),
                                 key.size(), nullptr) == 1,
                    "SipHash is not there");
    }

    static inline std::atomic<std::uint64_t> made = 0;
    const std::uint64_t number = ++made;  // of this key; an address may be used again
    const std::string key;
    EVP_MAC* algorithm;
    EVP_MAC_CTX* keyed;  // never updated, only copied: looking for the algorithm takes long
};

TokenSigner::TokenSigner(const std::string& key) {
    STELE_CHECK(key.size() >= kKeyBytes, "the key for tokens is too short");
    mac_ = std::make_unique<const Mac>(std::string_view(key).substr(0, kKeyBytes));
}
TokenSigner::~TokenSigner() = default;

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
    EVP_MAC_CTX* const context = mac_->fresh_context();
    std::array<unsigned char, kCodeBytes> digest;
    std::size_t size = 0;
    const bool done =
        EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(&purpose), 1) == 1 &&
        EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(payload.data()),
                       payload.size()) == 1 &&
        EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1;
    STELE_CHECK(done && size == kCodeBytes, "SipHash failed");
    return {reinterpret_cast<const char*>(digest.data()), kCodeBytes};
}

}  // namespace stele::frontend
