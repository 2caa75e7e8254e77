#pragma once

#include "base/status.h"

#include <string>
#include <string_view>
#include <vector>

// Which addresses a server may be made to call. Pure.
namespace stele {

struct AddressRule {
    std::string pattern;          // of "host:port"; '*' stands for any number of characters
    bool allow_insecure = false;  // also without TLS
};
using AddressRules = std::vector<AddressRule>;

/// Whether `text` has the form of the pattern as a whole.
bool matches_pattern(std::string_view text, std::string_view pattern);

/// INVALID_ARGUMENT unless the first rule that names the host of the URL allows it.
absl::Status check_address(std::string_view url, const AddressRules& rules);

}  // namespace stele
