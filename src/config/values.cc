#include "config/values.h"

#include <algorithm>
#include <utility>

namespace stele::config {
namespace {

/// What a value may be constrained to and still hold for the scope, the closest fit first.
std::vector<Constraints> fits(const Scope& scope) {
    const std::string& space = scope.namespace_name;
    const std::string& queue = scope.task_queue;
    std::vector<Constraints> result;
    if (!queue.empty()) {
        result.push_back({space, queue, scope.task_queue_type, {}});
        result.push_back({space, queue, 0, {}});
        result.push_back({{}, queue, 0, {}});
    }
    if (!scope.destination.empty()) {
        result.push_back({space, {}, 0, scope.destination});
        result.push_back({{}, {}, 0, scope.destination});
    }
    result.push_back({space, {}, 0, {}});
    result.push_back({});
    return result;
}

char lower_case(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = lower_case(c);
    return result;
}

bool KeyLess::operator()(std::string_view a, std::string_view b) const {
    return std::lexicographical_compare(
        a.begin(), a.end(), b.begin(), b.end(),
        [](char left, char right) { return lower_case(left) < lower_case(right); });
}

void Values::add(std::string_view key, std::vector<ConstrainedValue> values) {
    auto& place = by_key_[std::string(key)];
    std::move(values.begin(), values.end(), std::back_inserter(place));
}

void Values::add(const Values& other) {
    for (const auto& [key, values] : other.by_key_) add(key, values);
}

const Value* Values::find(std::string_view key, const Scope& scope) const {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    const auto& values = found->second;
    for (const Constraints& fit : fits(scope)) {
        const auto value = std::find_if(
            values.rbegin(), values.rend(),
            [&](const ConstrainedValue& candidate) { return candidate.constraints == fit; });
        if (value != values.rend()) return &value->value;
    }
    return nullptr;
}

}  // namespace stele::config
