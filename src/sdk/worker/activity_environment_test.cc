#include "stele/activity_environment.h"

#include <gtest/gtest.h>

#include "stele/errors.h"

namespace stele::testing {
namespace {

using namespace std::chrono_literals;

// ---- Activities under test ---------------------------------------------------------------------

int imports_rows(int rows) {
    for (int row = activity::previous_detail<int>().value_or(0); row < rows; ++row) {
        activity::throw_if_cancelled();
        activity::heartbeat(row + 1);
    }
    return rows;
}

std::string polls_every_minute() {
    int polls = 0;
    while (activity::sleep_for(1min)) {
        activity::heartbeat(++polls);
        if (polls == 90) return "ready";
    }
    return activity::stop_reason() == activity::StopReason::kWorkerStops ? "the worker stops"
                                                                         : "cancelled";
}

struct Bank {
    int balance = 0;
    int deposit(int amount) { return balance += amount; }
};

// ---- Tests -------------------------------------------------------------------------------------

TEST(ActivityEnvironmentTest, GivesWhatTheActivityGivesAndKeepsItsHeartbeats) {
    ActivityEnvironment environment;
    EXPECT_EQ(environment.run(imports_rows, 3), 3);
    EXPECT_EQ(environment.heartbeats().size(), 3);
    EXPECT_EQ(environment.last_detail<int>(), 3);
}

TEST(ActivityEnvironmentTest, GoesOnWhereTheAttemptBeforeStopped) {
    ActivityEnvironment environment;
    environment.previous_details(8);
    EXPECT_EQ(environment.run(imports_rows, 10), 10);
    EXPECT_EQ(environment.heartbeats().size(), 2);
}

TEST(ActivityEnvironmentTest, CancellationComesWithTheHeartbeatThatTheTestChose) {
    ActivityEnvironment environment;
    environment.cancel_after_heartbeats(4);
    EXPECT_THROW((void)environment.run(imports_rows, 10), CanceledError);
    EXPECT_EQ(environment.last_detail<int>(), 4);
}

TEST(ActivityEnvironmentTest, SleepTakesNoTime) {
    ActivityEnvironment environment;
    EXPECT_EQ(environment.run(polls_every_minute), "ready");
    EXPECT_EQ(environment.slept(), 90min);
}

TEST(ActivityEnvironmentTest, SleepEndsWithTheReasonToStop) {
    ActivityEnvironment environment;
    environment.cancel_after_heartbeats(2, activity::StopReason::kWorkerStops);
    EXPECT_EQ(environment.run(polls_every_minute), "the worker stops");
    EXPECT_EQ(environment.slept(), 2min);
}

TEST(ActivityEnvironmentTest, HookSeesEveryHeartbeat) {
    ActivityEnvironment environment;
    int sum = 0;
    environment.on_heartbeat(
        [&](const Payloads& details) { sum += decode_value<int>(details[0]); });
    (void)environment.run(imports_rows, 4);
    EXPECT_EQ(sum, 10);
}

TEST(ActivityEnvironmentTest, MembersLambdasAndFunctionsWithoutAResultRunAsWell) {
    ActivityEnvironment environment;
    Bank bank;
    EXPECT_EQ(environment.run(&Bank::deposit, &bank, 5), 5);
    bool ran = false;
    environment.run([&ran] { ran = activity::info().attempt == 1; });
    EXPECT_TRUE(ran);
}

TEST(ActivityEnvironmentTest, InfoIsWhatTheTestGives) {
    activity::Info info;
    info.attempt = 3;
    info.retry.emplace().maximum_attempts = 3;
    ActivityEnvironment environment(info);
    EXPECT_TRUE(environment.run(
        [] { return activity::info().attempt == activity::info().retry->maximum_attempts; }));
}

TEST(ActivityEnvironmentTest, LogIsKept) {
    ActivityEnvironment environment;
    environment.run([] { activity::log(LogLevel::kWarning, "low on rows"); });
    ASSERT_EQ(environment.log().size(), 1);
    EXPECT_EQ(environment.log()[0].message, "low on rows");
}

TEST(ActivityEnvironmentTest, CompletionElsewhereIsTold) {
    ActivityEnvironment environment;
    EXPECT_THROW(environment.run([] { activity::complete_elsewhere(); }), CompletedElsewhere);
}

TEST(ActivityEnvironmentTest, ThreadIsNoActivityBeforeAndAfter) {
    ActivityEnvironment environment;
    EXPECT_THROW((void)environment.run([]() -> int { throw std::runtime_error("broken"); }),
                 std::runtime_error);
    EXPECT_THROW((void)activity::info(), IllegalCallError);
}

}  // namespace
}  // namespace stele::testing
