#include "config/value.h"

#include "config/values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace stele::config {
namespace {

absl::Status misfit(const Value& value, const char* wanted) {
    // Text that is not UTF-8 is shown with marks in it; by default it would be an exception.
    const std::string shown = value.dump(-1, ' ', false, Value::error_handler_t::replace);
    return invalid_argument(fmt::format("{} is not {}", shown, wanted));
}

std::optional<double> number_of(const Value& value) {
    if (!value.is_number()) return std::nullopt;
    return value.get<double>();
}

/// The value as a whole number within [low, high].
std::optional<std::int64_t> whole_number(const Value& value, double low, double high) {
    const auto number = number_of(value);
    if (!number || std::trunc(*number) != *number || *number < low || *number > high) {
        return std::nullopt;
    }
    return value.is_number_float() ? static_cast<std::int64_t>(*number) : value.get<std::int64_t>();
}

std::optional<Duration> scaled(double count, double nanoseconds) {
    const double result = count * nanoseconds;
    // Neither is what is no number at all.
    const bool fits =
        std::abs(result) < static_cast<double>(std::numeric_limits<std::int64_t>::max());
    if (!fits) return std::nullopt;
    return Duration(static_cast<std::int64_t>(std::llround(result)));
}

/// Nanoseconds in the unit that `text` begins with, which is cut off; longer names come first.
std::optional<double> take_unit(std::string_view& text) {
    constexpr std::array<std::pair<std::string_view, double>, 8> kUnits = {{{"ns", 1},
                                                                            {"us", 1e3},
                                                                            {"µs", 1e3},
                                                                            {"ms", 1e6},
                                                                            {"s", 1e9},
                                                                            {"m", 6e10},
                                                                            {"h", 3.6e12},
                                                                            {"d", 8.64e13}}};
    for (const auto& [name, nanoseconds] : kUnits) {
        if (!text.starts_with(name)) continue;
        text.remove_prefix(name.size());
        return nanoseconds;
    }
    return std::nullopt;
}

/// As "1h30m", each part a number with a unit; a single number without one means seconds.
std::optional<Duration> parse_duration(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    Duration sum{};
    bool first = true;
    while (!text.empty()) {
        double count = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count,
                                                  std::chars_format::fixed);
        if (error != std::errc() || count < 0) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        constexpr double kSecond = 1e9;
        const bool bare = text.empty() && first;
        const std::optional<double> unit = bare ? kSecond : take_unit(text);
        const auto part = unit ? scaled(count, *unit) : std::nullopt;
        if (!part || *part > Duration::max() - sum) return std::nullopt;
        sum += *part;
        first = false;
    }
    return negative ? -sum : sum;
}

}  // namespace

absl::Status convert(const Value& value, bool& out) {
    if (value.is_boolean()) {
        out = value.get<bool>();
        return absl::OkStatus();
    }
    if (value == "true" || value == "false") {
        out = value == "true";
        return absl::OkStatus();
    }
    return misfit(value, "true or false");
}

absl::Status convert(const Value& value, std::int32_t& out) {
    constexpr double kLow = std::numeric_limits<std::int32_t>::min();
    constexpr double kHigh = std::numeric_limits<std::int32_t>::max();
    const auto number = whole_number(value, kLow, kHigh);
    if (!number) return misfit(value, "a whole number");
    out = static_cast<std::int32_t>(*number);
    return absl::OkStatus();
}

absl::Status convert(const Value& value, std::size_t& out) {
    constexpr double kHigh = 9e15;  // doubles are exact up to here
    const auto number = whole_number(value, 0, kHigh);
    if (!number) return misfit(value, "a whole number of 0 or more");
    out = static_cast<std::size_t>(*number);
    return absl::OkStatus();
}

absl::Status convert(const Value& value, double& out) {
    const auto number = number_of(value);
    if (!number) return misfit(value, "a number");
    out = *number;
    return absl::OkStatus();
}

absl::Status convert(const Value& value, Duration& out) {
    constexpr double kSecond = 1e9;
    std::optional<Duration> duration;
    if (value.is_string()) duration = parse_duration(value.get<std::string>());
    if (const auto number = number_of(value)) duration = scaled(*number, kSecond);
    if (!duration) return misfit(value, "a duration such as \"30s\" or \"1h30m\"");
    out = *duration;
    return absl::OkStatus();
}

absl::Status convert(const Value& value, std::string& out) {
    if (!value.is_string()) return misfit(value, "text");
    out = value.get<std::string>();
    return absl::OkStatus();
}

absl::Status convert(const Value& value, std::vector<std::string>& out) {
    if (value.is_null()) {
        out.clear();
        return absl::OkStatus();
    }
    if (!value.is_array()) return misfit(value, "a list");
    std::vector<std::string> items(value.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        STELE_RETURN_IF_ERROR(convert(value[i], items[i]));
    }
    out = std::move(items);
    return absl::OkStatus();
}

absl::Status convert(const Value& value, AddressRules& out) {
    if (!value.is_null() && !value.is_array()) return misfit(value, "a list");
    AddressRules rules;
    for (const Value& item : value) {
        if (!item.is_object()) return misfit(item, "an object with a \"Pattern\"");
        AddressRule rule;
        for (const auto& [name, part] : item.items()) {
            const std::string key = lower_case(name);
            if (key == "pattern") {
                STELE_RETURN_IF_ERROR(convert(part, rule.pattern));
            } else if (key == "allowinsecure") {
                STELE_RETURN_IF_ERROR(convert(part, rule.allow_insecure));
            } else {
                return misfit(item, "an address rule");
            }
        }
        if (!rule.pattern.empty()) rules.push_back(std::move(rule));
    }
    out = std::move(rules);
    return absl::OkStatus();
}

}  // namespace stele::config
