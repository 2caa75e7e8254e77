#include "history/build_ids.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace stele::history {

using nlohmann::json;

namespace {

constexpr char kAttribute[] = "BuildIds";
constexpr char kUnversioned[] = "unversioned";
constexpr char kVersioned[] = "versioned";

/// What stands in the list for a worker's version; empty for one that is not known.
std::string entry_of(const temporal::api::common::v1::WorkerVersionStamp& stamp) {
    if (stamp.build_id().empty()) return {};
    return std::string(stamp.use_versioning() ? kVersioned : kUnversioned) + ":" + stamp.build_id();
}

std::string text_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json entries_in(const std::string& text) {
    json entries = json::parse(text, nullptr, /*allow_exceptions=*/false);
    return entries.is_array() ? std::move(entries) : json::array();
}

}  // namespace

void record_build_id(Builder& builder, const temporal::api::common::v1::WorkerVersionStamp& stamp) {
    const std::string entry = entry_of(stamp);
    Draft& draft = builder.draft();
    const auto& fields = draft.run_attributes().search_attributes().indexed_fields();
    const auto found = fields.find(kAttribute);
    const std::string before = found == fields.end() ? "" : found->second.data();
    // Nearly always nothing is new, and this is all that it costs.
    const bool has_sentinel = stamp.use_versioning() || before.starts_with("[\"unversioned\"");
    const bool has_entry = entry.empty() || before.find(text_of(entry)) != std::string::npos;
    if (has_sentinel && has_entry) return;

    json entries = json::array();
    if (!stamp.use_versioning()) entries.push_back(kUnversioned);
    for (const json& old : entries_in(before)) {
        if (old != kUnversioned && old != entry) entries.push_back(old);
    }
    if (!entry.empty()) entries.push_back(entry);
    const std::size_t sentinels = stamp.use_versioning() ? 0 : 1;
    const std::size_t limit = builder.context().limits->search_attribute_bytes;
    while (text_of(entries).size() > limit && entries.size() > sentinels) {
        entries.erase(sentinels);
    }

    if (!draft.attributes) draft.attributes = draft.base->attributes;
    auto& payload =
        (*draft.attributes->mutable_search_attributes()->mutable_indexed_fields())[kAttribute];
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    (*payload.mutable_metadata())["type"] = "KeywordList";
    payload.set_data(text_of(entries));
}

}  // namespace stele::history
