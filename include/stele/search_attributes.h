#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stele/payload.h"

// Search attributes by typed keys, so that a name and its type stand in one place:
//
//     inline const auto kCustomer = stele::search_attribute_key::keyword("Customer");
//
//     client.start<buy>({.task_queue = "q", .search_attributes = {kCustomer.of("ada")}}, order);
//     wf::upsert_search_attributes({kCustomer.of("bob")});
//     std::optional<std::string> who = kCustomer.in(summary.search_attributes);
//
// A key must be known to the server with that type. Values; safe to use from any thread.
namespace stele {

/// Names and values as calls take them and descriptions give them.
using PayloadFields = std::map<std::string, Payload>;

/// T is std::string, std::int64_t, double, bool, a time, or a vector of strings.
template <class T>
class SearchAttributeKey {
public:
    using Encode = Payload (*)(const T&);
    SearchAttributeKey(std::string name, Encode encode) : name_(std::move(name)), encode_(encode) {}

    const std::string& name() const { return name_; }
    /// The attribute with a value.
    std::pair<std::string, Payload> of(const T& value) const { return {name_, encode_(value)}; }
    /// Takes the attribute away in an upsert.
    std::pair<std::string, Payload> removed() const {
        return {name_, encode_value(std::monostate{})};
    }
    /// The value among those of a workflow; nothing when it is not set. Throws DataConversionError
    /// when it has another type.
    std::optional<T> in(const PayloadFields& attributes) const;

private:
    std::string name_;
    Encode encode_;
};

namespace search_attribute {
using Time = std::chrono::sys_time<std::chrono::nanoseconds>;
/// The inverse of datetime(). Throws DataConversionError.
Time decode_datetime(const Payload& payload);
/// A single text counts as a list of one, which is how servers may store it.
std::vector<std::string> decode_keyword_list(const Payload& payload);
}  // namespace search_attribute

template <class T>
std::optional<T> SearchAttributeKey<T>::in(const PayloadFields& attributes) const {
    const auto found = attributes.find(name_);
    if (found == attributes.end() || detail::is_null(found->second)) return std::nullopt;
    if constexpr (std::is_same_v<T, search_attribute::Time>)
        return search_attribute::decode_datetime(found->second);
    else if constexpr (std::is_same_v<T, std::vector<std::string>>)
        return search_attribute::decode_keyword_list(found->second);
    else
        return decode_value<T>(found->second);
}

namespace search_attribute_key {

/// Compared as a whole.
inline SearchAttributeKey<std::string> keyword(std::string name) {
    return {std::move(name), &search_attribute::keyword};
}
/// Searched by words.
inline SearchAttributeKey<std::string> text(std::string name) {
    return {std::move(name), &search_attribute::text};
}
inline SearchAttributeKey<std::int64_t> integer(std::string name) {
    return {std::move(name),
            [](const std::int64_t& value) { return search_attribute::integer(value); }};
}
inline SearchAttributeKey<double> real(std::string name) {
    return {std::move(name), [](const double& value) { return search_attribute::real(value); }};
}
inline SearchAttributeKey<bool> boolean(std::string name) {
    return {std::move(name), [](const bool& value) { return search_attribute::boolean(value); }};
}
inline SearchAttributeKey<search_attribute::Time> datetime(std::string name) {
    return {std::move(name),
            [](const search_attribute::Time& value) { return search_attribute::datetime(value); }};
}
inline SearchAttributeKey<std::vector<std::string>> keyword_list(std::string name) {
    return {std::move(name), &search_attribute::keyword_list};
}

}  // namespace search_attribute_key

}  // namespace stele
