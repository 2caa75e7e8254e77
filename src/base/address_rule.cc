#include "base/address_rule.h"

#include <algorithm>

namespace stele {
namespace {

struct Url {
    std::string_view scheme;
    std::string_view host;
};

Url split(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    std::string_view host = url.substr(scheme + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    // A user in front of the host is no part of it.
    if (const std::size_t user = host.rfind('@'); user != std::string_view::npos) {
        host = host.substr(user + 1);
    }
    return {url.substr(0, scheme), host};
}

}  // namespace

bool matches_pattern(std::string_view text, std::string_view pattern) {
    // Back to behind the last '*', and on by one character, wherever the rest does not fit.
    std::size_t at = 0;
    std::size_t in_pattern = 0;
    std::size_t star = std::string_view::npos;
    std::size_t after_star = 0;
    while (at < text.size()) {
        if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
            star = in_pattern++;
            after_star = at;
        } else if (in_pattern < pattern.size() && pattern[in_pattern] == text[at]) {
            ++in_pattern;
            ++at;
        } else if (star != std::string_view::npos) {
            in_pattern = star + 1;
            at = ++after_star;
        } else {
            return false;
        }
    }
    return pattern.substr(in_pattern).find_first_not_of('*') == std::string_view::npos;
}

absl::Status check_address(std::string_view url, const AddressRules& rules) {
    const auto [scheme, host] = split(url);
    const std::string text(url);
    if (scheme != "http" && scheme != "https") {
        return invalid_argument("invalid url: unknown scheme: " + text);
    }
    if (host.empty()) return invalid_argument("invalid url: missing host");
    for (const AddressRule& rule : rules) {
        if (!matches_pattern(host, rule.pattern)) continue;
        if (rule.allow_insecure || scheme == "https") return absl::OkStatus();
        return invalid_argument(
            "invalid url: callback address does not allow insecure connections: " + text);
    }
    return invalid_argument("invalid url: url does not match any configured callback address: " +
                            text);
}

}  // namespace stele
