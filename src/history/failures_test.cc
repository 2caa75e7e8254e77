#include "history/failures.h"

#include <gtest/gtest.h>

namespace stele::history {
namespace {

namespace enums = temporal::api::enums::v1;

Failure application_failure(const std::string& message, bool non_retryable = false) {
    Failure failure;
    failure.set_message(message);
    failure.set_source("GoSDK");
    failure.set_stack_trace(std::string(100, 's'));
    failure.mutable_application_failure_info()->set_type("Sort");
    failure.mutable_application_failure_info()->set_non_retryable(non_retryable);
    return failure;
}

TEST(TimeoutFailures, SayWhichTimeoutAndThatTheServerFoundIt) {
    const Failure failure = activity_timeout_failure(enums::TIMEOUT_TYPE_START_TO_CLOSE);
    EXPECT_EQ(failure.message(), "activity StartToClose timeout");
    EXPECT_EQ(failure.source(), "Server");
    EXPECT_EQ(failure.timeout_failure_info().timeout_type(), enums::TIMEOUT_TYPE_START_TO_CLOSE);
    EXPECT_EQ(activity_timeout_failure(enums::TIMEOUT_TYPE_HEARTBEAT).message(),
              "activity Heartbeat timeout");
    EXPECT_EQ(activity_timeout_failure(enums::TIMEOUT_TYPE_SCHEDULE_TO_START).message(),
              "activity ScheduleToStart timeout");
    EXPECT_EQ(out_of_time_failure().timeout_failure_info().timeout_type(),
              enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE);
}

TEST(Truncation, KeepsASmallFailureAsItIs) {
    const Failure failure = application_failure("small");
    const Failure cut = truncate_failure(failure, 1000);
    EXPECT_EQ(cut.SerializeAsString(), failure.SerializeAsString());
}

TEST(Truncation, GivesTheBudgetToWhatMattersMost) {
    Failure failure = application_failure(std::string(100, 'm'), true);
    failure.mutable_cause()->set_message("cause");
    const Failure cut = truncate_failure(failure, 60);
    EXPECT_TRUE(cut.application_failure_info().non_retryable());
    EXPECT_EQ(cut.application_failure_info().type(), "Sort");
    EXPECT_EQ(cut.source(), "GoSDK");
    EXPECT_FALSE(cut.message().empty());
    EXPECT_LT(cut.message().size(), 60U);
    EXPECT_TRUE(cut.stack_trace().empty());
    EXPECT_FALSE(cut.has_cause());
    EXPECT_LE(cut.ByteSizeLong(), 60U);
}

TEST(Truncation, NeverExceedsItsBudget) {
    Failure failure = application_failure(std::string(300, 'm'));
    *failure.mutable_cause() = application_failure(std::string(300, 'c'));
    *failure.mutable_cause()->mutable_cause() = application_failure("deepest");
    for (std::size_t bytes = 30; bytes < 1000; bytes += 7) {
        EXPECT_LE(truncate_failure(failure, bytes).ByteSizeLong(), bytes) << bytes;
    }
}

TEST(Truncation, CutsBetweenCharacters) {
    Failure failure;
    failure.set_source("test");
    failure.set_message("\u2299 very \u229a long \u25cd message");
    failure.mutable_server_failure_info()->set_non_retryable(true);
    EXPECT_EQ(truncate_failure(failure, 24).message(), "\u2299 very \u229a");
    EXPECT_EQ(truncate_failure(failure, 23).message(), "\u2299 very ");
}

TEST(Truncation, DropsCausesThatAreNestedTooDeep) {
    Failure failure;
    failure.set_message("0");
    Failure* deepest = &failure;
    for (int depth = 1; depth <= 30; ++depth) {
        deepest = deepest->mutable_cause();
        deepest->set_message(std::to_string(depth));
    }
    const Failure cut = truncate_failure(failure, 100'000);
    int depth = 0;
    for (const Failure* at = &cut; at->has_cause(); at = &at->cause()) ++depth;
    EXPECT_EQ(depth, 20);
}

TEST(StorableFailure, IsTheFailureItselfUnlessItIsTooLarge) {
    const Failure small = application_failure("small");
    EXPECT_EQ(storable_failure(small, 4096).SerializeAsString(), small.SerializeAsString());

    const Failure large = application_failure(std::string(10'000, 'x'));
    const Failure stored = storable_failure(large, 4096);
    EXPECT_EQ(stored.message(), "Failure exceeds size limit.");
    EXPECT_FALSE(stored.server_failure_info().non_retryable());
    EXPECT_EQ(stored.cause().application_failure_info().type(), "Sort");
    EXPECT_LE(stored.cause().ByteSizeLong(), 4096U);
}

TEST(PlainTextPayloads, AreJsonStrings) {
    const auto payloads = plain_text_payloads("ACTIVITY_ID_NOT_STARTED");
    ASSERT_EQ(payloads.payloads_size(), 1);
    EXPECT_EQ(payloads.payloads(0).data(), "\"ACTIVITY_ID_NOT_STARTED\"");
    EXPECT_EQ(payloads.payloads(0).metadata().at("encoding"), "json/plain");
}

}  // namespace
}  // namespace stele::history
