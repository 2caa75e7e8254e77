#pragma once

#include "history/transition.h"
#include "temporal/api/common/v1/message.pb.h"

#include <string>
#include <utility>
#include <vector>

// Memo fields and search attributes: maps from name to payload in which an empty value deletes.
// Functions of their arguments. Thread safe.
namespace stele::history {

using PayloadMap = google::protobuf::Map<std::string, temporal::api::common::v1::Payload>;

/// Whether the payload stands for "no value": nothing, a JSON null, or an empty JSON list.
bool is_empty_payload(const temporal::api::common::v1::Payload& payload);

/// Lays `changes` over `target`; empty payloads delete.
void merge_payloads(PayloadMap& target, const PayloadMap& changes);

/// Takes empty payloads out of `message.memo` and `message.search_attributes`, and these out of the
/// message when nothing is left: in something new, an empty value stands for nothing.
template <typename Message>
void drop_empty_attributes(Message& message) {
    PayloadMap memo;
    merge_payloads(memo, message.memo().fields());
    if (memo.empty()) {
        message.clear_memo();
    } else {
        *message.mutable_memo()->mutable_fields() = std::move(memo);
    }
    PayloadMap indexed;
    merge_payloads(indexed, message.search_attributes().indexed_fields());
    if (indexed.empty()) {
        message.clear_search_attributes();
    } else {
        *message.mutable_search_attributes()->mutable_indexed_fields() = std::move(indexed);
    }
}

/// Names and data, as limits count them.
std::size_t payload_map_bytes(const PayloadMap& map);

/// A search attribute that holds several keywords, as clients encode it.
temporal::api::common::v1::Payload keyword_list_payload(const std::vector<std::string>& keywords);

/// The rows of a draft for changing: copies of those of the run at the first use.
storage::AttributesRow& editable_attributes(Draft& draft);
storage::InfoRow& editable_info(Draft& draft);

}  // namespace stele::history
