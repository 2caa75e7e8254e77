#include "cli/text.h"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <utility>

namespace stele::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kDay = hours(24);

std::optional<Duration> unit_named(const std::string& name) {
    static const std::pair<const char*, Duration> units[] = {{"ns", Duration(1)},
                                                             {"us", std::chrono::microseconds(1)},
                                                             {"ms", milliseconds(1)},
                                                             {"s", seconds(1)},
                                                             {"m", minutes(1)},
                                                             {"h", hours(1)},
                                                             {"d", kDay}};
    for (const auto& [text, duration] : units) {
        if (name == text) return duration;
    }
    return std::nullopt;
}

absl::Status bad_duration(const std::string& text) {
    return invalid_argument(fmt::format(
        "\"{}\" is not a duration: write a number and a unit, such as 10s, 5m, 1h30m or 3d", text));
}

std::string plural(std::int64_t count, const char* unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

}  // namespace

absl::StatusOr<Duration> parse_duration(const std::string& text) {
    if (text == "0") return Duration::zero();
    Duration total{};
    const char* at = text.c_str();
    if (*at == '\0') return bad_duration(text);
    while (*at != '\0') {
        if (std::isdigit(static_cast<unsigned char>(*at)) == 0 && *at != '.') {
            return bad_duration(text);
        }
        char* number_end = nullptr;
        const double number = std::strtod(at, &number_end);
        const char* unit_end = number_end;
        while (std::isalpha(static_cast<unsigned char>(*unit_end)) != 0) ++unit_end;
        const std::optional<Duration> unit =
            unit_named(std::string(static_cast<const char*>(number_end), unit_end));
        if (!unit) return bad_duration(text);
        const double nanoseconds = number * static_cast<double>(unit->count());
        if (nanoseconds > static_cast<double>((Duration::max() - total).count()) / 2) {
            return bad_duration(text);
        }
        total += Duration(std::llround(nanoseconds));
        at = unit_end;
    }
    return total;
}

std::string duration_text(Duration duration) {
    std::string text;
    const auto whole_hours = duration_cast<hours>(duration);
    const auto whole_minutes = duration_cast<minutes>(duration - whole_hours);
    const auto rest = duration_cast<milliseconds>(duration - whole_hours - whole_minutes);
    if (whole_hours.count() != 0) text += fmt::format("{}h", whole_hours.count());
    if (!text.empty() || whole_minutes.count() != 0) {
        text += fmt::format("{}m", whole_minutes.count());
    }
    return text + fmt::format("{:g}s", static_cast<double>(rest.count()) / 1000);
}

std::string iso_time(Timestamp time) {
    const auto since_epoch = time.time_since_epoch();
    const std::time_t whole = std::chrono::floor<seconds>(since_epoch).count();
    std::tm parts{};
    gmtime_r(&whole, &parts);
    std::string text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    const auto fraction = since_epoch - seconds(whole);
    if (fraction.count() != 0) {
        text += fmt::format(".{:09}", fraction.count());
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text + "Z";
}

std::string relative_time(Timestamp time, Timestamp now) {
    const bool is_past = time <= now;
    const Duration distance = is_past ? now - time : time - now;
    if (distance < seconds(1)) return "now";
    std::string amount;
    if (distance < minutes(1)) {
        amount = plural(duration_cast<seconds>(distance).count(), "second");
    } else if (distance < hours(1)) {
        amount = plural(duration_cast<minutes>(distance).count(), "minute");
    } else if (distance < kDay) {
        amount = plural(duration_cast<hours>(distance).count(), "hour");
    } else {
        amount = plural(distance / kDay, "day");
    }
    return is_past ? amount + " ago" : "in " + amount;
}

std::string time_text(Timestamp time, TimeFormat format, Timestamp now) {
    if (time == kUnset) return "";
    switch (format) {
        case TimeFormat::kRelative: return relative_time(time, now);
        case TimeFormat::kIso: return iso_time(time);
        case TimeFormat::kRaw: return std::to_string(time.time_since_epoch().count());
    }
    return "";
}

std::string camel_case(const std::string& enum_name, const std::string& prefix) {
    std::string result;
    bool is_start = true;
    const std::size_t skipped = enum_name.starts_with(prefix) ? prefix.size() : 0;
    for (const char c : enum_name.substr(skipped)) {
        if (c == '_') {
            is_start = true;
            continue;
        }
        result += is_start ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        is_start = false;
    }
    return result;
}

std::string screaming_case(const std::string& name) {
    std::string result;
    bool after_small = false;
    for (const char c : name) {
        const auto letter = static_cast<unsigned char>(c);
        if (std::isupper(letter) != 0 && after_small) result += '_';
        after_small = std::islower(letter) != 0 || std::isdigit(letter) != 0;
        result += c == '-' ? '_' : static_cast<char>(std::toupper(letter));
    }
    return result;
}

}  // namespace stele::cli
