#include "history/search_attributes.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cmath>

// Values of search attributes as they travel: JSON in payloads.
namespace stele::history {

namespace enums = temporal::api::enums::v1;
using nlohmann::json;

namespace {

constexpr char kEncoding[] = "encoding";
/// What is nested deeper is no value of any type, and is not worth a deep recursion.
constexpr int kMaximumDepth = 8;

/// The JSON of a payload, or an error when it is none.
absl::StatusOr<json> parse(const temporal::api::common::v1::Payload& payload) {
    const auto encoding = payload.metadata().find(kEncoding);
    if (encoding == payload.metadata().end()) return invalid_argument("encoding is not set");
    if (encoding->second == "binary/null") return json();
    if (!encoding->second.starts_with("json/")) return invalid_argument("not JSON");
    const auto shallow = [](int depth, json::parse_event_t, json&) {
        return depth < kMaximumDepth;
    };
    json value = json::parse(payload.data(), shallow, /*allow_exceptions=*/false);
    if (value.is_discarded()) return invalid_argument("malformed JSON");
    return value;
}

std::optional<AttributeValue> scalar(const json& value, AttributeType type) {
    switch (type) {
        case enums::INDEXED_VALUE_TYPE_BOOL:
            if (value.is_boolean()) return value.get<bool>();
            return std::nullopt;
        case enums::INDEXED_VALUE_TYPE_INT:
            // Of a larger number only a part would be found.
            if (value.is_number_unsigned() &&
                value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
                return std::nullopt;
            }
            if (value.is_number_integer()) return value.get<std::int64_t>();
            return std::nullopt;
        case enums::INDEXED_VALUE_TYPE_DOUBLE:
            if (value.is_number()) return value.get<double>();
            return std::nullopt;
        case enums::INDEXED_VALUE_TYPE_DATETIME: {
            if (!value.is_string()) return std::nullopt;
            const std::optional<Timestamp> time = parse_time(value.get_ref<const std::string&>());
            if (!time) return std::nullopt;
            return *time;
        }
        case enums::INDEXED_VALUE_TYPE_KEYWORD:
        case enums::INDEXED_VALUE_TYPE_KEYWORD_LIST:
        case enums::INDEXED_VALUE_TYPE_TEXT:
            if (value.is_string()) return value.get<std::string>();
            return std::nullopt;
        default: return std::nullopt;
    }
}

/// A number as Go prints it: shortest, with an exponent from a million on.
std::string go_number(double value) {
    std::array<char, 64> buffer;
    const int exponent =
        value == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::fabs(value))));
    const auto format = exponent < -4 || exponent >= 21 || (exponent >= 6 && value != 0)
                            ? std::chars_format::scientific
                            : std::chars_format::fixed;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    return {buffer.data(), end.ptr};
}

/// As Go writes a message.
std::string text_of(const temporal::api::common::v1::Payload& payload) {
    std::string text;
    for (const auto& [key, value] : payload.metadata()) {
        absl::StrAppend(&text, "metadata:{key:\"", absl::CEscape(key), "\" value:\"",
                        absl::CEscape(value), "\"} ");
    }
    return absl::StrCat(text, "data:\"", absl::CEscape(payload.data()), "\"");
}

std::string go_text(const json& value) {
    switch (value.type()) {
        case json::value_t::null: return "<nil>";
        case json::value_t::string: return value.get<std::string>();
        case json::value_t::boolean: return value.get<bool>() ? "true" : "false";
        case json::value_t::array: {
            std::string text;
            for (const json& item : value) text += (text.empty() ? "" : " ") + go_text(item);
            return "[" + text + "]";
        }
        case json::value_t::object: {
            std::string text;
            for (const auto& [key, item] : value.items()) {
                text += (text.empty() ? "" : " ") + key + ":" + go_text(item);
            }
            return "map[" + text + "]";
        }
        default: return go_number(value.get<double>());
    }
}

/// Digits of a fixed count at `text`, which moves on; -1 when they are not there.
int digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return -1;
    int value = 0;
    const auto end = std::from_chars(text.data(), text.data() + count, value);
    if (end.ec != std::errc() || end.ptr != text.data() + count || text[0] == '-') return -1;
    text.remove_prefix(count);
    return value;
}

bool literal(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

/// The fraction of a second behind a point, cut to nanoseconds; none is no fault.
std::optional<Duration> fraction(std::string_view& text) {
    if (text.empty() || (text.front() != '.' && text.front() != ',')) return Duration::zero();
    text.remove_prefix(1);
    std::int64_t nanoseconds = 0;
    std::int64_t unit = 100'000'000;
    std::size_t count = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++count) {
        nanoseconds += unit * (text.front() - '0');
        unit /= 10;
        text.remove_prefix(1);
    }
    if (count == 0) return std::nullopt;
    return Duration(nanoseconds);
}

std::optional<Duration> zone(std::string_view& text) {
    if (literal(text, 'Z')) return Duration::zero();
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    const int sign = text.front() == '-' ? -1 : 1;
    text.remove_prefix(1);
    const int hours = digits(text, 2);
    if (hours < 0 || hours > 23 || !literal(text, ':')) return std::nullopt;
    const int minutes = digits(text, 2);
    if (minutes < 0 || minutes > 59) return std::nullopt;
    return sign * (std::chrono::hours(hours) + std::chrono::minutes(minutes));
}

}  // namespace

absl::StatusOr<std::vector<AttributeValue>> decode_attribute(
    const temporal::api::common::v1::Payload& payload, AttributeType type) {
    STELE_ASSIGN_OR_RETURN(const json value, parse(payload));
    std::vector<AttributeValue> values;
    if (value.is_null()) return values;
    // An attribute of any type may come as a list.
    const json items = value.is_array() ? value : json::array({value});
    for (const json& item : items) {
        std::optional<AttributeValue> one;
        if (item.is_null() && type == enums::INDEXED_VALUE_TYPE_KEYWORD_LIST) continue;
        one = scalar(item, type);
        if (!one) return invalid_argument("not a value of the type " + type_name(type));
        values.push_back(*std::move(one));
    }
    return values;
}

std::string describe_attribute(const temporal::api::common::v1::Payload& payload) {
    const absl::StatusOr<json> value = parse(payload);
    if (!value.ok()) return "value from <" + text_of(payload) + ">";
    return go_text(*value);
}

std::optional<Timestamp> parse_time(std::string_view text) {
    const int year = digits(text, 4);
    if (year < 0 || !literal(text, '-')) return std::nullopt;
    const int month = digits(text, 2);
    if (month < 1 || !literal(text, '-')) return std::nullopt;
    const int day = digits(text, 2);
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (day < 1 || !date.ok() || !literal(text, 'T')) return std::nullopt;
    const int hours = digits(text, 2);
    if (hours < 0 || hours > 23 || !literal(text, ':')) return std::nullopt;
    const int minutes = digits(text, 2);
    if (minutes < 0 || minutes > 59 || !literal(text, ':')) return std::nullopt;
    const int seconds = digits(text, 2);
    if (seconds < 0 || seconds > 59) return std::nullopt;
    const std::optional<Duration> rest = fraction(text);
    if (!rest) return std::nullopt;
    const std::optional<Duration> offset = zone(text);
    if (!offset || !text.empty()) return std::nullopt;
    // Saturates where nanoseconds do not reach.
    const auto days = std::chrono::sys_days(date).time_since_epoch();
    const std::int64_t whole = std::chrono::duration_cast<std::chrono::seconds>(days).count() +
                               hours * 3600 + minutes * 60 + seconds;
    constexpr std::int64_t kLimit =
        std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 86'400;
    if (whole > kLimit) return kNever;
    if (whole < -kLimit) return Timestamp::min();
    return Timestamp(std::chrono::seconds(whole) + *rest - *offset);
}

}  // namespace stele::history
