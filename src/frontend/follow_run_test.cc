#include <gtest/gtest.h>

#include "frontend/follow_run.h"

#include "temporal/api/history/v1/message.pb.h"

#include <string>

namespace stele::frontend {
namespace {

namespace api = temporal::api;

TEST(FollowRun, FeatureIsFoundAnywhereInTheListAndOnlyWhole) {
    EXPECT_TRUE(follows_next_run("follows-next-run-id"));
    EXPECT_TRUE(follows_next_run("a,follows-next-run-id,b"));
    EXPECT_TRUE(follows_next_run("a,follows-next-run-id"));
    EXPECT_FALSE(follows_next_run(""));
    EXPECT_FALSE(follows_next_run(","));
    EXPECT_FALSE(follows_next_run("follows-next-run-id-2,follows-next-run"));
}

api::history::v1::History two_events(api::history::v1::HistoryEvent last) {
    api::history::v1::History history;
    history.add_events()->set_event_id(1);
    last.set_event_id(2);
    *history.add_events() = std::move(last);
    return history;
}

api::history::v1::History dressed(const api::history::v1::History& history) {
    api::history::v1::History result;
    EXPECT_TRUE(result.ParseFromString(dress_successor(history.SerializeAsString())));
    return result;
}

TEST(FollowRun, FailureWithASuccessorIsDressedAsContinueAsNew) {
    api::history::v1::HistoryEvent event;
    event.set_event_type(api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
    auto& failed = *event.mutable_workflow_execution_failed_event_attributes();
    failed.set_new_execution_run_id("next");
    failed.mutable_failure()->set_message("broken");
    const auto history = dressed(two_events(event));
    ASSERT_EQ(history.events_size(), 2);
    EXPECT_EQ(history.events(1).event_id(), 2);
    EXPECT_EQ(history.events(1).event_type(),
              api::enums::v1::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
    const auto& next = history.events(1).workflow_execution_continued_as_new_event_attributes();
    EXPECT_EQ(next.new_execution_run_id(), "next");
    EXPECT_EQ(next.failure().message(), "broken");
}

TEST(FollowRun, TimeoutWithASuccessorIsDressedWithATimeoutFailure) {
    api::history::v1::HistoryEvent event;
    event.mutable_workflow_execution_timed_out_event_attributes()->set_new_execution_run_id("next");
    const auto history = dressed(two_events(event));
    const auto& next = history.events(1).workflow_execution_continued_as_new_event_attributes();
    EXPECT_EQ(next.new_execution_run_id(), "next");
    EXPECT_EQ(next.failure().timeout_failure_info().timeout_type(),
              api::enums::v1::TIMEOUT_TYPE_START_TO_CLOSE);
}

TEST(FollowRun, ClosingEventWithoutASuccessorStaysAsItIs) {
    api::history::v1::HistoryEvent event;
    event.mutable_workflow_execution_failed_event_attributes()->mutable_failure();
    const std::string bytes = two_events(event).SerializeAsString();
    EXPECT_EQ(dress_successor(bytes), bytes);
    EXPECT_EQ(dress_successor(""), "");
}

}  // namespace
}  // namespace stele::frontend
