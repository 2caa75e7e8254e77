#include "history/build_ids.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace stele::history {

using nlohmann::json;

std::string versioned_mark(const std::string& build_id) { return "versioned:" + build_id; }

namespace {

/// What stands in the list for a worker's version; empty for one that is not known.
std::string entry_of(const WorkerVersionStamp& stamp) {
    if (stamp.build_id().empty()) return {};
    return stamp.use_versioning() ? versioned_mark(stamp.build_id())
                                  : std::string(kUnversioned) + ":" + stamp.build_id();
}

std::string text_of(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json entries_in(const std::string& text) {
    json entries = json::parse(text, nullptr, /*allow_exceptions=*/false);
    return entries.is_array() ? std::move(entries) : json::array();
}

/// The list with one more build, or nullopt where nothing is new, which is nearly always.
std::optional<std::string> with_build(const std::string& before, const WorkerVersionStamp& stamp,
                                      std::size_t bytes_max) {
    const std::string entry = entry_of(stamp);
    const bool first_unknown = before.empty() && entry.empty() && !stamp.use_versioning();
    if (first_unknown) return R"(["unversioned"])";  // as nearly every run's first
    const bool has_sentinel = stamp.use_versioning() || before.starts_with("[\"unversioned\"");
    const bool has_entry = entry.empty() || before.find(text_of(entry)) != std::string::npos;
    if (has_sentinel && has_entry) return std::nullopt;

    json entries = json::array();
    if (!stamp.use_versioning()) entries.push_back(kUnversioned);
    const std::size_t sentinels = entries.size();
    for (const json& old : entries_in(before)) {
        if (old != kUnversioned && old != entry) entries.push_back(old);
    }
    if (!entry.empty()) entries.push_back(entry);
    std::string text = text_of(entries);
    while (text.size() > bytes_max && entries.size() > sentinels) {
        entries.erase(sentinels);
        text = text_of(entries);
    }
    return text;
}

}  // namespace

std::optional<Payload> add_build_id(const PayloadMap& attributes, const WorkerVersionStamp& stamp,
                                    std::size_t bytes_max) {
    const auto found = attributes.find(kBuildIds);
    std::optional<std::string> entries =
        with_build(found == attributes.end() ? "" : found->second.data(), stamp, bytes_max);
    if (!entries) return std::nullopt;
    Payload payload;
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    (*payload.mutable_metadata())["type"] = "KeywordList";
    payload.set_data(*std::move(entries));
    return payload;
}

std::optional<WorkerVersionStamp> version_to_inherit(const storage::HeaderRow& header) {
    if (!header.most_recent_worker_version().use_versioning()) return std::nullopt;
    return header.most_recent_worker_version();
}

void record_build_id(Builder& builder, const WorkerVersionStamp& stamp) {
    Draft& draft = builder.draft();
    std::optional<Payload> changed =
        add_build_id(draft.run_attributes().search_attributes().indexed_fields(), stamp,
                     builder.context().limits->search_attribute_bytes);
    if (!changed) return;
    if (!draft.attributes) draft.attributes = draft.base->attributes;
    auto& fields = *draft.attributes->mutable_search_attributes()->mutable_indexed_fields();
    fields[kBuildIds] = *std::move(changed);
}

}  // namespace stele::history
