#include "fuzz/target.h"

#include "base/address_rule.h"

// A pattern, a URL and a flag: whether the server may call there. The matcher agrees with the plainest
// one there is, and an address is only allowed when the rule names it.
namespace {

using namespace stele;

/// By a table: whether the first i letters have the form of the first j of the pattern.
bool plainly_matches(std::string_view text, std::string_view pattern) {
    std::vector<std::vector<bool>> table(text.size() + 1, std::vector<bool>(pattern.size() + 1));
    for (std::size_t i = 0; i <= text.size(); ++i) {
        for (std::size_t j = 0; j <= pattern.size(); ++j) {
            if (j == 0) {
                table[i][j] = i == 0;
            } else if (pattern[j - 1] == '*') {
                table[i][j] = table[i][j - 1] || (i > 0 && table[i - 1][j]);
            } else {
                table[i][j] = i > 0 && text[i - 1] == pattern[j - 1] && table[i - 1][j - 1];
            }
        }
    }
    return table[text.size()][pattern.size()];
}

}  // namespace

STELE_FUZZ_TARGET(address_rules) {
    stele::fuzz::Pieces pieces(input.substr(0, 512));
    const bool insecure = pieces.byte() % 2 == 1;
    const std::string pattern(pieces.line());
    const std::string url(pieces.rest());
    STELE_CHECK(matches_pattern(url, pattern) == plainly_matches(url, pattern), "the matcher errs");
    STELE_CHECK(!check_address(url, {}).ok(), "without a rule everything is refused");
    const absl::Status status = check_address(url, {{pattern, insecure}});
    if (!status.ok()) {
        STELE_CHECK(status.code() == absl::StatusCode::kInvalidArgument, "another error");
        return;
    }
    STELE_CHECK(insecure || !url.starts_with("http://"), "an insecure address was allowed");
}
