#include "base/enum_name.h"

namespace stele {

std::string short_enum_name(std::string_view name, std::string_view prefix) {
    if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
    std::string result;
    bool capital = true;
    for (const char c : name) {
        if (c == '_') {
            capital = true;
            continue;
        }
        const bool upper = c >= 'A' && c <= 'Z';
        result += capital || !upper ? c : static_cast<char>(c - 'A' + 'a');
        capital = false;
    }
    return result;
}

}  // namespace stele
