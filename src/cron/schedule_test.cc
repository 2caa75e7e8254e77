#include "cron/schedule.h"

#include "cron/parser.h"

#include <date/date.h>
#include <gtest/gtest.h>

#include <sstream>

namespace stele::cron {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// "2026-03-29T01:30:00", in UTC.
Timestamp at(const std::string& text) {
    date::sys_seconds time;
    std::istringstream stream(text);
    stream >> date::parse("%FT%T", time);
    EXPECT_FALSE(stream.fail()) << text;
    return Timestamp(time.time_since_epoch());
}

std::string show(std::optional<Timestamp> time) {
    if (!time) return "never";
    return date::format("%FT%T", date::sys_seconds(std::chrono::duration_cast<seconds>(
                                     time->time_since_epoch())));
}

std::string next(const std::string& schedule, const std::string& after) {
    const auto parsed = Schedule::parse(schedule);
    if (!parsed.ok()) return message_of(parsed.status());
    return show(parsed->next(at(after)));
}

TEST(CronSchedule, FindsTheNextMoment) {
    const std::string noon = "2026-11-27T12:00:00";  // a Friday
    EXPECT_EQ(next("* * * * *", noon), "2026-11-27T12:01:00");
    EXPECT_EQ(next("*/15 * * * *", noon), "2026-11-27T12:15:00");
    EXPECT_EQ(next("0 12 * * *", noon), "2026-11-28T12:00:00");
    EXPECT_EQ(next("5/20 9-17 * * mon-fri", noon), "2026-11-27T12:05:00");
    EXPECT_EQ(next("30 8 * * MON", noon), "2026-11-30T08:30:00");
    EXPECT_EQ(next("0 0 29 feb *", noon), "2028-02-29T00:00:00");
    EXPECT_EQ(next("0 0 31 */2 ?", noon), "2027-01-31T00:00:00");
    EXPECT_EQ(next("1,2,3-5/2 4 1 Jan *", noon), "2027-01-01T04:01:00");
}

TEST(CronSchedule, KnowsTheNamedOnes) {
    const std::string noon = "2026-11-27T12:00:00";
    EXPECT_EQ(next("@hourly", noon), "2026-11-27T13:00:00");
    EXPECT_EQ(next("@daily", noon), "2026-11-28T00:00:00");
    EXPECT_EQ(next("@midnight", noon), "2026-11-28T00:00:00");
    EXPECT_EQ(next("@weekly", noon), "2026-11-29T00:00:00");
    EXPECT_EQ(next("@monthly", noon), "2026-12-01T00:00:00");
    EXPECT_EQ(next("@yearly", noon), "2027-01-01T00:00:00");
    EXPECT_EQ(next("@annually", noon), "2027-01-01T00:00:00");
    EXPECT_EQ(next("@every 1h30m", noon), "2026-11-27T13:30:00");
    EXPECT_EQ(next("@every 100ms", noon), "2026-11-27T12:00:01");
}

TEST(CronSchedule, TwoRestrictedDaysMeanEither) {
    EXPECT_EQ(next("0 0 13 * fri", "2026-11-27T12:00:00"), "2026-12-04T00:00:00");
    EXPECT_EQ(next("0 0 1 * fri", "2026-11-27T12:00:00"), "2026-12-01T00:00:00");
    // A step makes a star a restriction like any other.
    EXPECT_EQ(next("0 0 */10 * fri", "2026-11-27T12:00:00"), "2026-12-01T00:00:00");
}

TEST(CronSchedule, FollowsItsTimeZone) {
    EXPECT_EQ(next("CRON_TZ=Asia/Tokyo 0 9 * * *", "2026-11-27T12:00:00"), "2026-11-28T00:00:00");
    EXPECT_EQ(next("TZ=America/New_York 0 9 * * *", "2026-11-27T12:00:00"), "2026-11-27T14:00:00");
    EXPECT_EQ(next("CRON_TZ=Asia/Kolkata @daily", "2026-11-27T12:00:00"), "2026-11-27T18:30:00");
    EXPECT_EQ(next("CRON_TZ=UTC 0 9 * * *", "2026-11-27T12:00:00"), "2026-11-28T09:00:00");
}

TEST(CronSchedule, AnHourThatClocksSkipIsSkipped) {
    // In Berlin 02:00 became 03:00 on 29 March 2026.
    EXPECT_EQ(next("CRON_TZ=Europe/Berlin 30 2 * * *", "2026-03-28T12:00:00"),
              "2026-03-30T00:30:00");
    EXPECT_EQ(next("CRON_TZ=Europe/Berlin 30 3 * * *", "2026-03-28T12:00:00"),
              "2026-03-29T01:30:00");
}

TEST(CronSchedule, AnHourThatComesTwiceEnds) {
    // In Berlin 03:00 became 02:00 on 25 October 2026; both times it is 02:30 the schedule fires.
    const std::string schedule = "CRON_TZ=Europe/Berlin 30 2 * * *";
    EXPECT_EQ(next(schedule, "2026-10-24T12:00:00"), "2026-10-25T00:30:00");
    EXPECT_EQ(next(schedule, "2026-10-25T00:30:00"), "2026-10-25T01:30:00");
    EXPECT_EQ(next(schedule, "2026-10-25T01:30:00"), "2026-10-26T01:30:00");
    EXPECT_EQ(next("CRON_TZ=Europe/Berlin 0 5 * * *", "2026-10-25T01:30:00"),
              "2026-10-25T04:00:00");
    // Half an hour back: hours are then counted from half past, so this day has no 05:00 for Temporal.
    EXPECT_EQ(next("CRON_TZ=Australia/Lord_Howe 0 5 * * *", "2026-04-04T15:15:00"),
              "2026-04-05T18:30:00");
}

TEST(CronSchedule, ADayWithoutMidnightBeginsLater) {
    // In Havana the clocks are put forward at midnight.
    EXPECT_EQ(next("CRON_TZ=America/Havana 0 12 8 3 *", "2026-03-07T12:00:00"),
              "2026-03-08T16:00:00");
}

TEST(CronSchedule, RefusesWhatItCanNotRead) {
    for (const char* text :
         {"", " ", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
          "* * * 13 *", "* * * * 7", "5-1 * * * *", "*/0 * * * *", "1-2-3 * * * *", "1/2/3 * * * *",
          "-1 * * * *", "a * * * *", "@", "@sometimes", "@every", "@every x", "@every 1",
          "CRON_TZ=UTC", "CRON_TZ=Nowhere/Land * * * * *", "TZ=../../etc/passwd * * * * *",
          "99999999999999999999 * * * *"}) {
        EXPECT_EQ(Schedule::parse(text).status().code(), absl::StatusCode::kInvalidArgument)
            << text;
    }
}

TEST(CronSchedule, ValidatesInTemporalsWords) {
    const Timestamp now = at("2026-11-27T12:00:00");
    EXPECT_TRUE(validate("", now).ok());
    EXPECT_TRUE(validate("@every 5s", now).ok());
    EXPECT_EQ(message_of(validate("invalid-cron-spec", now)), "invalid CronSchedule.");
    EXPECT_EQ(message_of(validate("0 0 31 2 *", now)),
              "invalid CronSchedule, no time can be found to satisfy the schedule");
    EXPECT_FALSE(validate("0 0 , * *", now).ok());
}

TEST(CronSchedule, ReadsIntervalsAsGoDoes) {
    EXPECT_EQ(parse_interval("1h2m3s"), hours(1) + minutes(2) + seconds(3));
    EXPECT_EQ(parse_interval("1.5h"), minutes(90));
    EXPECT_EQ(parse_interval(".5s"), milliseconds(500));
    EXPECT_EQ(parse_interval("-2s"), seconds(-2));
    EXPECT_EQ(parse_interval("0"), Duration::zero());
    EXPECT_EQ(parse_interval("3\xC2\xB5s"), std::chrono::microseconds(3));
    for (const char* text : {"", "5", "s", "1x", "1..5s", ".s", "1h-2m", "9999999999h"}) {
        EXPECT_EQ(parse_interval(text), std::nullopt) << text;
    }
}

TEST(CronBackoff, WaitsForTheNextMomentThatHasNotPassed) {
    const Timestamp scheduled = at("2026-11-27T12:00:00");
    EXPECT_EQ(backoff("", scheduled, scheduled), std::nullopt);
    EXPECT_EQ(backoff("*/5 * * * *", scheduled, scheduled + seconds(10)), seconds(290));
    EXPECT_EQ(backoff("*/5 * * * *", scheduled, scheduled + minutes(12)), minutes(3));
    // Exactly then is not too late.
    EXPECT_EQ(backoff("*/5 * * * *", scheduled, scheduled + minutes(10)), seconds(0));
    // A run that was meant for later than now is still meant for then.
    EXPECT_EQ(backoff("*/5 * * * *", scheduled, scheduled - seconds(7)), seconds(7));
}

TEST(CronBackoff, AnIntervalCountsFromWhenTheLastRunWasMeant) {
    const Timestamp scheduled = at("2026-11-27T12:00:00");
    EXPECT_EQ(backoff("@every 3s", scheduled, scheduled), seconds(3));
    EXPECT_EQ(backoff("@every 3s", scheduled, scheduled + seconds(4)), seconds(2));
    EXPECT_EQ(backoff("@every 3s", scheduled, scheduled + seconds(6)), seconds(0));
    EXPECT_EQ(backoff("@every 3s", scheduled + milliseconds(900), scheduled + milliseconds(950)),
              seconds(3));
}

}  // namespace
}  // namespace stele::cron
