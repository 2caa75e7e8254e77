#include "cron/schedule.h"

#include "cron/parser.h"

#include <date/tz.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace stele::cron {
namespace {

using std::chrono::floor;
using std::chrono::seconds;
using Seconds = std::int64_t;  // since the Unix epoch

constexpr int kYearsAhead = 5;
constexpr Seconds kMinute = 60;
constexpr Seconds kHour = 60 * kMinute;
constexpr int kHoursOfDay = 24;
constexpr int kNoon = 12;

date::sys_seconds moment(Seconds time) { return date::sys_seconds(seconds(time)); }

/// What calendar and clock show, in the zone of the schedule.
struct Local {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int day_of_week;
    Seconds of_day;
};

/// Translates between moments and what clocks show. Where clocks are put back an hour comes twice,
/// and where they are put forward one is missing: `moment_of` then takes one of the two offsets, the
/// one that Temporal takes.
class Clock {
public:
    explicit Clock(const date::time_zone* zone) : zone_(zone) {}

    Local show(Seconds time) const {
        const Seconds local = time + offset(time);
        const date::sys_days day = floor<date::days>(moment(local));
        const date::year_month_day date(day);
        const Seconds of_day =
            local - std::chrono::duration_cast<seconds>(day.time_since_epoch()).count();
        return {int{date.year()},
                static_cast<int>(static_cast<unsigned>(date.month())),
                static_cast<int>(static_cast<unsigned>(date.day())),
                static_cast<int>(of_day / kHour),
                static_cast<int>(of_day % kHour / kMinute),
                static_cast<int>(date::weekday(day).c_encoding()),
                of_day};
    }

    /// Months and days may lie behind the last; then the date is in another year or month.
    Seconds moment_of(int year, int month, int day, Seconds of_day) const {
        const date::sys_days first((date::year(year) / 1 + date::months(month - 1)) / 1);
        const date::sys_days date = first + date::days(day - 1);
        const Seconds local =
            std::chrono::duration_cast<seconds>(date.time_since_epoch()).count() + of_day;
        if (zone_ == nullptr) return local;
        const date::sys_info guess = zone_->get_info(moment(local));
        const Seconds time = local - guess.offset.count();
        if (moment(time) >= guess.begin && moment(time) < guess.end) return time;
        return local - offset(time);
    }

private:
    Seconds offset(Seconds time) const {
        return zone_ == nullptr ? 0 : zone_->get_info(moment(time)).offset.count();
    }

    const date::time_zone* zone_;
};

Seconds second_of_minute(Seconds time) { return (time % kMinute + kMinute) % kMinute; }

/// The last that a Timestamp can hold.
constexpr Seconds kLastSecond =
    std::chrono::duration_cast<seconds>(Timestamp::max().time_since_epoch()).count();

bool has(std::uint64_t bits, int value) { return ((bits >> value) & 1) != 0; }

/// The same day and time of the next month; from the first at midnight, unless moved there before.
Seconds next_month(const Clock& clock, Local local, bool moved) {
    if (!moved) local = clock.show(clock.moment_of(local.year, local.month, 1, 0));
    return clock.moment_of(local.year, local.month + 1, local.day, local.of_day);
}

/// The next midnight. Where clocks are changed at midnight there may be none, and the day is then
/// entered or left out as it is by Temporal; what comes out is later in any case.
Seconds next_day(const Clock& clock, Local local, bool moved) {
    if (!moved) local = clock.show(clock.moment_of(local.year, local.month, local.day, 0));
    const Seconds time = clock.moment_of(local.year, local.month, local.day + 1, local.of_day);
    const int hour = clock.show(time).hour;
    return hour > kNoon ? time + (kHoursOfDay - hour) * kHour : time - hour * kHour;
}

}  // namespace

absl::StatusOr<Schedule> Schedule::parse(std::string_view text) { return Parser::parse(text); }

std::optional<Timestamp> Schedule::next(Timestamp after) const {
    const Timestamp second = floor<seconds>(after);
    if (interval_ > Duration::zero()) {
        const Timestamp sum = add_saturating(second, interval_);
        return sum == kNever ? std::nullopt : std::optional(sum);
    }
    const Clock clock(zone_);
    Seconds time = floor<seconds>(second.time_since_epoch()).count() + 1;
    Local local = clock.show(time);
    const int last_year = local.year + kYearsAhead;
    // The first field that does not fit is moved on to the beginning of its next value, and
    // everything is looked at again. Only the first move has to find that beginning; later ones, which
    // start from one, must not look for it: an hour that comes twice would begin again and again.
    bool moved = false;
    for (; local.year <= last_year; local = clock.show(time)) {
        const bool month_day = has(days_of_month_, local.day);
        const bool week_day = has(days_of_week_, local.day_of_week);
        const bool day_fits = any_day_of_month_ || any_day_of_week_ ? month_day && week_day
                                                                    : month_day || week_day;
        if (!has(months_, local.month)) {
            time = next_month(clock, local, moved);
        } else if (!day_fits) {
            time = next_day(clock, local, moved);
        } else if (!has(hours_, local.hour)) {
            if (!moved) {
                time = clock.moment_of(local.year, local.month, local.day, local.hour * kHour);
            }
            time += kHour;
        } else if (!has(minutes_, local.minute)) {
            time += kMinute - second_of_minute(time);
        } else if (second_of_minute(time) != 0) {
            time += kMinute - second_of_minute(time);
        } else {
            if (time >= kLastSecond) return std::nullopt;
            return Timestamp(seconds(time));
        }
        moved = true;
    }
    return std::nullopt;
}

std::optional<Timestamp> Schedule::next_not_before(Timestamp after, Timestamp now) const {
    if (interval_ == Duration::zero()) return next(std::max(after, now - Duration(1)));
    const Timestamp begin = floor<seconds>(after);
    const auto passed = std::max<Duration>(now - begin, Duration(1));
    const auto intervals = (passed + interval_ - Duration(1)) / interval_;
    const Timestamp sum = add_saturating(begin, intervals * interval_);
    return sum == kNever ? std::nullopt : std::optional(sum);
}

absl::Status validate(std::string_view text, Timestamp now) {
    if (text.empty()) return absl::OkStatus();
    const absl::StatusOr<Schedule> schedule = Schedule::parse(text);
    if (!schedule.ok()) return invalid_argument("invalid CronSchedule.");
    if (!schedule->next(now)) {
        return invalid_argument(
            "invalid CronSchedule, no time can be found to satisfy the schedule");
    }
    return absl::OkStatus();
}

std::optional<Duration> backoff(std::string_view text, Timestamp scheduled, Timestamp now) {
    if (text.empty()) return std::nullopt;
    const absl::StatusOr<Schedule> schedule = Schedule::parse(text);
    if (!schedule.ok()) return std::nullopt;
    std::optional<Timestamp> next = scheduled;
    if (now >= scheduled) next = schedule->next_not_before(scheduled, now);
    if (!next) return std::nullopt;
    return std::chrono::ceil<seconds>(*next - now);
}

}  // namespace stele::cron
