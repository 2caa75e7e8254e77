#include "cli/text.h"

#include <gtest/gtest.h>

namespace stele::cli {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp kMoment{seconds(1'700'000'000)};  // 2023-11-14T22:13:20Z

TEST(Durations, AreSumsOfNumbersWithUnits) {
    EXPECT_EQ(parse_duration("90s").value(), seconds(90));
    EXPECT_EQ(parse_duration("1h30m").value(), minutes(90));
    EXPECT_EQ(parse_duration("1.5d").value(), hours(36));
    EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
    EXPECT_EQ(parse_duration("7us3ns").value(), Duration(7003));
    EXPECT_EQ(parse_duration("0").value(), Duration::zero());
}

TEST(Durations, ThatCanNotBeReadAreNamed) {
    for (const char* text : {"", "soon", "10", "1x", "-5s", "1h-30m", "s", "1e300h", "1h 30m"}) {
        const auto duration = parse_duration(text);
        ASSERT_FALSE(duration.ok()) << text;
        EXPECT_NE(message_of(duration.status()).find('"' + std::string(text) + '"'),
                  std::string::npos);
    }
}

TEST(Durations, ReadBackAsTheyWereWritten) {
    for (const Duration duration : {Duration(seconds(5)), Duration(milliseconds(2050)),
                                    Duration(hours(48)), Duration(minutes(61))}) {
        EXPECT_EQ(parse_duration(duration_text(duration)).value(), duration);
    }
    EXPECT_EQ(duration_text(minutes(90)), "1h30m0s");
    EXPECT_EQ(duration_text(milliseconds(10)), "0.01s");
}

TEST(Times, AreRelativeToNow) {
    EXPECT_EQ(relative_time(kMoment, kMoment), "now");
    EXPECT_EQ(relative_time(kMoment, kMoment + seconds(1)), "1 second ago");
    EXPECT_EQ(relative_time(kMoment, kMoment + minutes(59)), "59 minutes ago");
    EXPECT_EQ(relative_time(kMoment, kMoment + hours(25)), "1 day ago");
    EXPECT_EQ(relative_time(kMoment + hours(2), kMoment), "in 2 hours");
}

TEST(Times, HaveAnIsoFormWithoutNeedlessZeros) {
    EXPECT_EQ(iso_time(kMoment), "2023-11-14T22:13:20Z");
    EXPECT_EQ(iso_time(kMoment + milliseconds(120)), "2023-11-14T22:13:20.12Z");
    EXPECT_EQ(iso_time(kUnset - milliseconds(1)), "1969-12-31T23:59:59.999Z");
}

TEST(Times, ThatAreAbsentStayEmpty) {
    for (const TimeFormat format : {TimeFormat::kRelative, TimeFormat::kIso, TimeFormat::kRaw}) {
        EXPECT_EQ(time_text(kUnset, format, kMoment), "");
    }
    EXPECT_EQ(time_text(kMoment, TimeFormat::kRaw, kMoment), "1700000000000000000");
}

TEST(EnumNames, AreWrittenInBothWays) {
    EXPECT_EQ(camel_case("EVENT_TYPE_TIMER_FIRED", "EVENT_TYPE_"), "TimerFired");
    EXPECT_EQ(screaming_case("UseExisting"), "USE_EXISTING");
    EXPECT_EQ(screaming_case("not_open"), "NOT_OPEN");
    EXPECT_EQ(screaming_case("ALLOW_DUPLICATE"), "ALLOW_DUPLICATE");
}

}  // namespace
}  // namespace stele::cli
