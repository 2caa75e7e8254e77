#include "matching/poller_scaling.h"
#include "matching/rate_counter.h"
#include "matching/throttle.h"

#include <gtest/gtest.h>

// How fast tasks come and go: limits, measurements, and the advice that follows from them.
namespace stele::matching {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Timestamp at(Duration since) { return Timestamp(std::chrono::hours(1'000) + since); }

int leaving_until(Throttle& throttle, Timestamp end, Timestamp begin) {
    int count = 0;
    for (Timestamp now = begin; (now = throttle.next(now)) <= end; ++count) throttle.take(now);
    return count;
}

TEST(Throttle, AllowsASecondsWorthAtOnceAndThenTheRate) {
    Throttle throttle;
    throttle.set_rate(5, at(seconds(0)));
    EXPECT_EQ(leaving_until(throttle, at(seconds(0)), at(seconds(0))), 6);
    EXPECT_EQ(leaving_until(throttle, at(seconds(10)), at(seconds(0))), 50);
}

TEST(Throttle, ZeroStopsEverythingAndNegativeNothing) {
    Throttle throttle;
    EXPECT_EQ(throttle.next(at(seconds(1))), at(seconds(1)));
    throttle.set_rate(0, at(seconds(1)));
    EXPECT_EQ(throttle.next(at(seconds(1))), kNever);
}

TEST(Throttle, AHigherRateDoesNotWaitForWhatALowOneHadPutOff) {
    Throttle throttle;
    throttle.set_rate(0.001, at(seconds(0)));
    throttle.take(at(seconds(0)));
    throttle.take(at(seconds(0)));
    EXPECT_GT(throttle.next(at(seconds(0))), at(seconds(100)));
    throttle.set_rate(10, at(seconds(0)));
    EXPECT_LE(throttle.next(at(seconds(0))), at(milliseconds(100)));
}

TEST(Throttle, WhatIsGivenBackMayBeTakenAgain) {
    Throttle throttle;
    throttle.set_rate(1, at(seconds(0)));
    while (throttle.next(at(seconds(0))) <= at(seconds(0))) throttle.take(at(seconds(0)));
    throttle.give_back();
    EXPECT_EQ(throttle.next(at(seconds(0))), at(seconds(0)));
}

TEST(Throttle, KeysAreLimitedApartAndByTheirWeight) {
    KeyThrottles keys;
    keys.set_rate(1, at(seconds(0)));
    for (int i = 0; i < 3; ++i) keys.take("light", 1, at(seconds(0)));
    for (int i = 0; i < 3; ++i) keys.take("heavy", 2, at(seconds(0)));
    EXPECT_EQ(keys.next("light", at(seconds(0))), at(seconds(2)));
    EXPECT_EQ(keys.next("heavy", at(seconds(0))), at(milliseconds(500)));
    EXPECT_EQ(keys.next("other", at(seconds(0))), at(seconds(0)));
    keys.set_rate(-1, at(seconds(0)));
    EXPECT_EQ(keys.next("light", at(seconds(0))), at(seconds(0)));
}

TEST(RateCounter, TellsTheRateSinceTheFirstEvent) {
    RateCounter counter;
    EXPECT_EQ(counter.per_second(at(seconds(0))), 0);
    counter.add(at(seconds(0)), 10);
    counter.add(at(seconds(2)), 10);
    EXPECT_DOUBLE_EQ(counter.per_second(at(seconds(4))), 5);
}

TEST(RateCounter, ForgetsWhatIsOlderThanHalfAMinute) {
    RateCounter counter;
    counter.add(at(seconds(0)), 300);
    EXPECT_DOUBLE_EQ(counter.per_second(at(seconds(29))), 300.0 / 29);
    EXPECT_EQ(counter.per_second(at(seconds(31))), 0);
    counter.add(at(seconds(60)), 30);
    EXPECT_DOUBLE_EQ(counter.per_second(at(seconds(61))), 1);
}

class PollerAdvice : public testing::Test {
protected:
    std::int32_t advise() { return scaling_.advise(settings_, situation_); }

    QueueSettings settings_;
    PollerSituation situation_{.now = at(seconds(0)), .waited = {}};
    PollerScaling scaling_;
};

TEST_F(PollerAdvice, IsFewerWhenThePollWaitedLong) {
    situation_.waited = seconds(1);
    EXPECT_EQ(advise(), -1);
}

TEST_F(PollerAdvice, IsMoreWhenTasksHaveWaitedLong) {
    situation_.backlog = 1;
    situation_.backlog_age = milliseconds(100);
    EXPECT_EQ(advise(), 0);
    situation_.now += seconds(1);
    situation_.backlog_age = milliseconds(300);
    EXPECT_EQ(advise(), 1);
}

TEST_F(PollerAdvice, IsMoreWhenTasksComeFasterThanTheyGo) {
    situation_.added_per_second = 10;
    situation_.dispatched_per_second = 9;
    EXPECT_EQ(advise(), 0);
    situation_.now += seconds(1);
    situation_.dispatched_per_second = 8;
    EXPECT_EQ(advise(), 1);
}

TEST_F(PollerAdvice, ToGrowIsGivenOnlySoOften) {
    situation_.backlog = 1;
    situation_.backlog_age = seconds(1);
    EXPECT_EQ(advise(), 1);
    EXPECT_EQ(advise(), 0);
    situation_.now += milliseconds(100);
    EXPECT_EQ(advise(), 1);
}

}  // namespace
}  // namespace stele::matching
