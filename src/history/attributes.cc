#include "history/attributes.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

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

temporal::api::common::v1::Payload keyword_list_payload(const std::vector<std::string>& keywords) {
    google::protobuf::ListValue list;
    for (const std::string& keyword : keywords) list.add_values()->set_string_value(keyword);
    temporal::api::common::v1::Payload payload;
    const auto status =
        google::protobuf::util::MessageToJsonString(list, payload.mutable_data());
    STELE_CHECK(status.ok(), "a list of strings can not be written as JSON");
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    (*payload.mutable_metadata())["type"] = "KeywordList";
    return payload;
}

storage::AttributesRow& editable_attributes(Draft& draft) {
    if (!draft.attributes) draft.attributes = draft.base->attributes;
    return *draft.attributes;
}

storage::InfoRow& editable_info(Draft& draft) {
    if (!draft.info) draft.info = draft.base->info;
    return *draft.info;
}

}  // namespace stele::history
