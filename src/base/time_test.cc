#include "base/time.h"

#include <gtest/gtest.h>

#include <limits>

namespace stele {
namespace {

using namespace std::chrono_literals;

google::protobuf::Timestamp timestamp(std::int64_t seconds, std::int32_t nanos) {
    google::protobuf::Timestamp result;
    result.set_seconds(seconds);
    result.set_nanos(nanos);
    return result;
}

google::protobuf::Duration duration(std::int64_t seconds, std::int32_t nanos) {
    google::protobuf::Duration result;
    result.set_seconds(seconds);
    result.set_nanos(nanos);
    return result;
}

TEST(Time, TimestampsComeBackAsTheyWere) {
    for (const auto& [seconds, nanos] :
         {std::pair{0L, 0}, {1'700'000'000L, 999'999'999}, {-1L, 999'999'999}, {-5L, 0}}) {
        const auto written = to_proto(from_proto(timestamp(seconds, nanos)));
        EXPECT_EQ(written.seconds(), seconds);
        EXPECT_EQ(written.nanos(), nanos);
    }
}

TEST(Time, DurationsComeBackAsTheyWere) {
    for (const auto& [seconds, nanos] :
         {std::pair{0L, 0}, {10L, 5}, {-1L, -500'000'000}, {0L, -1}, {315'576'000L, 0}}) {
        const auto written = to_proto(from_proto(duration(seconds, nanos)));
        EXPECT_EQ(written.seconds(), seconds);
        EXPECT_EQ(written.nanos(), nanos);
    }
}

TEST(Time, WhatDoesNotFitSaturates) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(from_proto(timestamp(253'402'300'799, 999'999'999)), kNever);  // end of year 9999
    EXPECT_EQ(from_proto(timestamp(kMost, 0)), kNever);
    EXPECT_EQ(from_proto(duration(kMost, 0)), Duration::max());
    EXPECT_EQ(from_proto(duration(-kMost, 0)), Duration::min());
    EXPECT_EQ(from_proto(timestamp(std::numeric_limits<std::int64_t>::min(), 0)),
              Timestamp(Duration::min()));
}

TEST(Time, AnAbsentTimestampIsUnset) {
    EXPECT_EQ(from_proto(google::protobuf::Timestamp()), kUnset);
}

TEST(Time, AddingNeverGoesPastNever) {
    const Timestamp time(1s);
    EXPECT_EQ(add_saturating(time, 2s), Timestamp(3s));
    EXPECT_EQ(add_saturating(time, -2s), Timestamp(-1s));
    EXPECT_EQ(add_saturating(time, Duration::max()), kNever);
    EXPECT_EQ(add_saturating(kNever, 1ns), kNever);
    EXPECT_EQ(add_saturating(kNever, Duration::zero()), kNever);
    EXPECT_EQ(add_saturating(kNever - 1ns, 1ns), kNever);
}

}  // namespace
}  // namespace stele
