#include "env/env.h"

// Ids made from a random stream.
namespace stele::env {

std::string new_uuid(Random& random) {
    constexpr char kDigits[] = "0123456789abcdef";
    constexpr int kLength = 36;
    const std::uint64_t words[2] = {random.next(), random.next()};
    std::string uuid;
    uuid.reserve(kLength);
    for (int nibble = 0; nibble < 32; ++nibble) {
        if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) uuid.push_back('-');
        std::uint64_t value = words[nibble / 16] >> (nibble % 16 * 4) & 15;
        if (nibble == 12) value = 4;                // the version
        if (nibble == 16) value = (value & 3) | 8;  // the variant of RFC 4122
        uuid.push_back(kDigits[value]);
    }
    return uuid;
}

}  // namespace stele::env
