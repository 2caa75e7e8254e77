#include "cron/parser.h"

#include "base/split.h"

#include <date/tz.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <exception>
#include <limits>
#include <utility>
#include <vector>

// The grammar: [TZ=zone | CRON_TZ=zone] ( five fields | @word | @every interval ).
namespace stele::cron {
namespace {

constexpr std::string_view kSpaces = " \t\n\v\f\r";
constexpr std::size_t kFields = 5;

/// The values of one field and the names that some of them have.
struct Field {
    const char* name;
    int minimum;
    int maximum;
    std::vector<std::string_view> names;  // of minimum, minimum + 1, ...
};

const std::array<Field, kFields>& fields() {
    static const std::array<Field, kFields> all = {
        Field{"minute", 0, 59, {}},
        Field{"hour", 0, 23, {}},
        Field{"day of month", 1, 31, {}},
        Field{"month",
              1,
              12,
              {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
        Field{"day of week", 0, 6, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
    };
    return all;
}

/// What one field allows: bit n for the value n, and whether it was left open.
struct Values {
    std::uint64_t bits = 0;
    bool any = false;
};

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    for (std::size_t at = text.find_first_not_of(separators); at != std::string_view::npos;
         at = text.find_first_not_of(separators, at)) {
        const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end;
    }
    return parts;
}

std::string_view trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(kSpaces);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

absl::Status wrong(const Field& field, std::string_view text, const std::string& problem) {
    return invalid_argument("the " + std::string(field.name) + " \"" + std::string(text) + "\" " +
                            problem);
}

std::optional<int> parse_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    if (text.empty() || text.front() == '-') return std::nullopt;
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<int> parse_value(const Field& field, std::string_view text) {
    std::string lower(text);
    for (char& letter : lower) {
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    }
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (field.names[i] == lower) return field.minimum + static_cast<int>(i);
    }
    return parse_number(text);
}

/// "*", "5", "1-5", each perhaps with "/step"; a single value with a step goes on to the end.
absl::StatusOr<Values> parse_range(const Field& field, std::string_view text) {
    const std::vector<std::string_view> with_step = split_all(text, '/');
    if (with_step.size() > 2) return wrong(field, text, "has too many slashes");
    const std::vector<std::string_view> ends = split_all(with_step[0], '-');
    Values values;
    int first = field.minimum;
    int last = field.maximum;
    if (ends[0] == "*" || ends[0] == "?") {
        values.any = true;
    } else {
        if (ends.size() > 2) return wrong(field, text, "has too many hyphens");
        const std::optional<int> low = parse_value(field, ends[0]);
        const std::optional<int> high = ends.size() == 1 ? low : parse_value(field, ends[1]);
        if (!low || !high) return wrong(field, text, "is not a number");
        first = *low;
        last = *high;
    }
    int step = 1;
    if (with_step.size() == 2) {
        const std::optional<int> number = parse_number(with_step[1]);
        if (!number) return wrong(field, text, "has a step that is not a number");
        step = *number;
        if (ends.size() == 1) last = field.maximum;
        if (step > 1) values.any = false;
    }
    if (first < field.minimum || last > field.maximum) return wrong(field, text, "is out of range");
    if (first > last) return wrong(field, text, "begins after its end");
    if (step == 0) return wrong(field, text, "has a step of zero");
    for (int value = first; value <= last; value += step) {
        values.bits |= std::uint64_t{1} << value;
        if (step > last - value) break;  // the sum might not fit
    }
    return values;
}

absl::StatusOr<Values> parse_field(const Field& field, std::string_view text) {
    Values values;
    for (const std::string_view part : split(text, ",")) {
        STELE_ASSIGN_OR_RETURN(const Values range, parse_range(field, part));
        values.bits |= range.bits;
        values.any = values.any || range.any;
    }
    return values;
}

std::string_view fields_of_word(std::string_view word) {
    if (word == "@yearly" || word == "@annually") return "0 0 1 1 *";
    if (word == "@monthly") return "0 0 1 * *";
    if (word == "@weekly") return "0 0 * * 0";
    if (word == "@daily" || word == "@midnight") return "0 0 * * *";
    if (word == "@hourly") return "0 * * * *";
    return {};
}

/// Null is UTC.
absl::StatusOr<const date::time_zone*> find_zone(std::string_view name) {
    if (name.empty() || name == "UTC" || name == "Local") {
        return static_cast<const date::time_zone*>(nullptr);
    }
    try {
        return date::locate_zone(name);
    } catch (const std::exception&) {
        return invalid_argument("the time zone \"" + std::string(name) + "\" is not known");
    }
}

struct Unit {
    std::string_view name;
    double nanoseconds;
};

/// Longer names first where one begins with another.
constexpr std::array<Unit, 8> kUnits = {Unit{"ns", 1},         Unit{"us", 1e3},
                                        Unit{"\xC2\xB5s", 1e3}, Unit{"\xCE\xBCs", 1e3},
                                        Unit{"ms", 1e6},       Unit{"s", 1e9},
                                        Unit{"m", 60e9},       Unit{"h", 3600e9}};

/// Takes "1.5h" from the front of `text`; nullopt when something else stands there.
std::optional<double> take_part(std::string_view& text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string number(text.substr(0, digits));
    if (number.find_first_of("0123456789") == std::string::npos) return std::nullopt;
    if (number.find('.') != number.rfind('.')) return std::nullopt;
    text.remove_prefix(digits);
    for (const Unit& unit : kUnits) {
        if (!text.starts_with(unit.name)) continue;
        text.remove_prefix(unit.name.size());
        double value = 0;
        const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
        if (parsed.ec != std::errc()) return std::nullopt;
        return value * unit.nanoseconds;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Duration> parse_interval(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (text == "0") return Duration::zero();
    if (text.empty()) return std::nullopt;
    double sum = 0;
    while (!text.empty()) {
        const std::optional<double> part = take_part(text);
        if (!part) return std::nullopt;
        sum += *part;
    }
    if (sum >= static_cast<double>(std::numeric_limits<Duration::rep>::max())) return std::nullopt;
    const Duration duration(static_cast<Duration::rep>(std::llround(sum)));
    return negative ? -duration : duration;
}

absl::Status Parser::read_fields(std::string_view text, Schedule& schedule) {
    const std::vector<std::string_view> parts = split(text, kSpaces);
    if (parts.size() != kFields) {
        return invalid_argument("a schedule has five fields, this one has " +
                                std::to_string(parts.size()));
    }
    std::array<Values, kFields> values;
    for (std::size_t i = 0; i < kFields; ++i) {
        STELE_ASSIGN_OR_RETURN(values[i], parse_field(fields()[i], parts[i]));
    }
    schedule.minutes_ = values[0].bits;
    schedule.hours_ = values[1].bits;
    schedule.days_of_month_ = values[2].bits;
    schedule.months_ = values[3].bits;
    schedule.days_of_week_ = values[4].bits;
    schedule.any_day_of_month_ = values[2].any;
    schedule.any_day_of_week_ = values[4].any;
    return absl::OkStatus();
}

absl::Status Parser::read_descriptor(std::string_view text, Schedule& schedule) {
    constexpr std::string_view kEvery = "@every ";
    if (const std::string_view fields_text = fields_of_word(text); !fields_text.empty()) {
        return read_fields(fields_text, schedule);
    }
    if (!text.starts_with(kEvery)) {
        return invalid_argument("\"" + std::string(text) + "\" is not a known schedule");
    }
    const std::optional<Duration> interval = parse_interval(text.substr(kEvery.size()));
    if (!interval) {
        return invalid_argument("\"" + std::string(text) + "\" does not name an interval");
    }
    schedule.interval_ = std::max<Duration>(std::chrono::floor<std::chrono::seconds>(*interval),
                                            std::chrono::seconds(1));
    return absl::OkStatus();
}

absl::StatusOr<Schedule> Parser::parse(std::string_view text) {
    Schedule schedule;
    if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
        const std::size_t begin = text.find('=') + 1;
        const std::size_t end = text.find(' ');
        if (end == std::string_view::npos) {
            return invalid_argument("nothing stands behind the time zone");
        }
        STELE_ASSIGN_OR_RETURN(schedule.zone_, find_zone(text.substr(begin, end - begin)));
        text = trim(text.substr(end));
    }
    if (text.empty()) return invalid_argument("a schedule can not be empty");
    STELE_RETURN_IF_ERROR(text.starts_with('@') ? read_descriptor(text, schedule)
                                                : read_fields(text, schedule));
    return schedule;
}

}  // namespace stele::cron
