#include "history/attributes.h"

namespace stele::history {

bool is_empty_payload(const temporal::api::common::v1::Payload& payload) {
    return payload.data().empty() || payload.data() == "null" || payload.data() == "[]";
}

void merge_payloads(PayloadMap& target, const PayloadMap& changes) {
    for (const auto& [name, payload] : changes) {
        if (is_empty_payload(payload)) {
            target.erase(name);
        } else {
            target[name] = payload;
        }
    }
}

std::size_t payload_map_bytes(const PayloadMap& map) {
    std::size_t bytes = 0;
    for (const auto& [name, payload] : map) bytes += name.size() + payload.data().size();
    return bytes;
}

}  // namespace stele::history
