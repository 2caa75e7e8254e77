#include "fuzz/target.h"

#include "frontend/tokens.h"

// Any bytes as a token: nobody but the signer makes one. And what was signed is read back as it was,
// under its own key and for its own purpose only.
namespace {

using namespace stele;
using frontend::TokenSigner;

const TokenSigner& signer() {
    static const TokenSigner instance("0123456789abcdef0123456789abcdef");
    return instance;
}
const TokenSigner& stranger() {
    static const TokenSigner instance("fedcba9876543210fedcba9876543210");
    return instance;
}

template <typename Token>
void check_refused(const absl::StatusOr<Token>& opened) {
    STELE_CHECK(!opened.ok(), "a forged token was taken");
    STELE_CHECK(opened.status().code() == absl::StatusCode::kInvalidArgument, "another error");
    const std::string message = message_of(opened.status());
    STELE_CHECK(message.find("oken") != std::string::npos, "an error that is not about the token");
}

void check_all_refused(const TokenSigner& tokens, std::string_view bytes) {
    check_refused(tokens.open_task(bytes));
    check_refused(tokens.open_page(bytes));
    check_refused(tokens.open_list(bytes));
    check_refused(tokens.open_run_list(bytes));
}

/// `place` and `change` say what a forger does to the signed bytes.
template <typename Token, typename Open>
void check_signed(const std::string& content, std::uint8_t place, std::uint8_t change, Open open) {
    Token token;
    if (!token.ParseFromString(content)) return;
    const std::string bytes = signer().sign(token);
    const auto opened = open(signer(), bytes);
    STELE_CHECK(opened.ok(), "a token of ours was refused");
    STELE_CHECK(opened->SerializeAsString() == token.SerializeAsString(), "a token was changed");
    check_refused(open(stranger(), bytes));
    if (change == 0) return;
    std::string forged = bytes;
    forged[forged.size() - 1 - place % forged.size()] ^= static_cast<char>(change);
    check_all_refused(signer(), forged);
}

}  // namespace

STELE_FUZZ_TARGET(tokens) {
    check_all_refused(signer(), input);
    stele::fuzz::Pieces pieces(input);
    const std::uint8_t purpose = pieces.byte();
    const std::uint8_t place = pieces.byte();
    const std::uint8_t change = pieces.byte();
    const std::string content(pieces.rest());
    switch (purpose % 4) {
        case 0:
            return check_signed<wire::TaskToken>(
                content, place, change,
                [](const TokenSigner& tokens, std::string_view b) { return tokens.open_task(b); });
        case 1:
            return check_signed<wire::PageToken>(
                content, place, change,
                [](const TokenSigner& tokens, std::string_view b) { return tokens.open_page(b); });
        case 2:
            return check_signed<wire::ListToken>(
                content, place, change,
                [](const TokenSigner& tokens, std::string_view b) { return tokens.open_list(b); });
        default:
            return check_signed<wire::RunListToken>(
                content, place, change, [](const TokenSigner& tokens, std::string_view b) {
                    return tokens.open_run_list(b);
                });
    }
}
