#pragma once

#include "base/status.h"
#include "stele/internal/tokens.pb.h"

#include <google/protobuf/message_lite.h>

#include <string>
#include <string_view>

// Opaque tokens that callers carry back to us: task tokens and page tokens. Each ends with a
// message authentication code (SipHash-2-4 of 16 bytes, under a key that is made once per store), so
// a token that we did not make, or that was made for another purpose, is refused before it is read.
namespace stele::frontend {

/// Immutable, hence thread safe.
class TokenSigner {
public:
    /// `key`: at least 16 secret bytes, of which the first 16 count, the same after every restart.
    explicit TokenSigner(const std::string& key);

    std::string sign(const wire::TaskToken& token) const;
    std::string sign(const wire::PageToken& token) const;
    std::string sign(const wire::ListToken& token) const;
    std::string sign(const wire::RunListToken& token) const;

    /// INVALID_ARGUMENT with the text that SDKs know for a token that is not ours.
    absl::StatusOr<wire::TaskToken> open_task(std::string_view bytes) const;
    absl::StatusOr<wire::PageToken> open_page(std::string_view bytes) const;
    absl::StatusOr<wire::ListToken> open_list(std::string_view bytes) const;
    absl::StatusOr<wire::RunListToken> open_run_list(std::string_view bytes) const;

private:
    std::string seal(char purpose, const google::protobuf::MessageLite& token) const;
    bool unseal(char purpose, std::string_view bytes, google::protobuf::MessageLite& token) const;
    std::string code_of(char purpose, std::string_view payload) const;

    const std::string key_;
};

}  // namespace stele::frontend
