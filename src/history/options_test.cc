#include "history/options.h"
#include "history/scenario_testing.h"

#include <gtest/gtest.h>

namespace stele::history::testing {
namespace {

namespace enums = api::enums::v1;

OptionsChange priority(int key, const std::string& path = "priority") {
    OptionsChange change;
    change.options.mutable_priority()->set_priority_key(key);
    change.mask.add_paths(path);
    change.identity = "operator";
    return change;
}

class Options : public ::testing::Test {
protected:
    Options() { scenario_.start(); }
    WorkflowOptions update(const OptionsChange& change) {
        return scenario_.apply(update_options(scenario_.run(), change, scenario_.context()));
    }
    absl::Status refusal(const OptionsChange& change) {
        return update_options(scenario_.run(), change, scenario_.context()).status();
    }

    Scenario scenario_;
};

TEST_F(Options, APriorityIsChangedAndRecorded) {
    EXPECT_EQ(update(priority(2)).priority().priority_key(), 2);
    EXPECT_EQ(scenario_.text_after(2), "3 WorkflowExecutionOptionsUpdated\n");
    const HistoryEvent& event = scenario_.history().events(2);
    EXPECT_TRUE(event.worker_may_ignore());
    const auto& updated = event.workflow_execution_options_updated_event_attributes();
    EXPECT_EQ(updated.identity(), "operator");
    EXPECT_EQ(updated.priority().priority_key(), 2);
    EXPECT_EQ(scenario_.run().info.priority().priority_key(), 2);
}

TEST_F(Options, AWaitingTaskMovesToItsNewPlace) {
    const std::int64_t before = scenario_.run().header.task().stamp();
    update(priority(2));
    EXPECT_TRUE(scenario_.workflow_task_is_queued());
    EXPECT_GT(scenario_.run().header.task().stamp(), before);
    scenario_.run_task({complete_workflow()});
}

TEST_F(Options, WhatChangesNothingLeavesNoEvent) {
    update(priority(2));
    const std::int64_t events = scenario_.last_event();
    EXPECT_EQ(update(priority(2)).priority().priority_key(), 2);
    EXPECT_EQ(scenario_.last_event(), events);
}

TEST_F(Options, OnlyWhatTheMaskNamesIsChanged) {
    OptionsChange fair = priority(2);
    fair.options.mutable_priority()->set_fairness_key("tenant");
    update(fair);
    const WorkflowOptions options = update(priority(4, "priority.priority_key"));
    EXPECT_EQ(options.priority().priority_key(), 4);
    EXPECT_EQ(options.priority().fairness_key(), "tenant");
}

TEST_F(Options, AnOverrideIsSetAndTakenAway) {
    OptionsChange change;
    change.options.mutable_versioning_override()->set_auto_upgrade(true);
    change.mask.add_paths("versioning_override");
    update(change);
    EXPECT_TRUE(describe(scenario_.run())
                    .workflow_execution_info()
                    .versioning_info()
                    .versioning_override()
                    .auto_upgrade());
    change.options.clear_versioning_override();
    update(change);
    EXPECT_FALSE(scenario_.run().info.has_versioning_override());
    EXPECT_TRUE(scenario_.history()
                    .events(3)
                    .workflow_execution_options_updated_event_attributes()
                    .unset_versioning_override());
}

TEST_F(Options, AnOverrideIsReplacedAsAWhole) {
    OptionsChange change;
    change.options.mutable_versioning_override()->set_auto_upgrade(true);
    change.mask.add_paths("versioning_override.auto_upgrade");
    EXPECT_EQ(message_of(refusal(change)),
              "error applying update_options: versioning_override doesn't support partial updates");
}

TEST_F(Options, AVersionThatNoWorkerOfTheQueueHasIsRefused) {
    OptionsChange change;
    auto& pinned = *change.options.mutable_versioning_override()->mutable_pinned();
    pinned.set_behavior(
        api::workflow::v1::VersioningOverride::PINNED_OVERRIDE_BEHAVIOR_PINNED);
    pinned.mutable_version()->set_deployment_name("shop");
    pinned.mutable_version()->set_build_id("1.2");
    change.mask.add_paths("versioning_override");
    EXPECT_EQ(refusal(change).code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(message_of(refusal(change)),
              "Pinned version 'shop:1.2' is not present in task queue 'queue' of type 'Workflow'");
}

TEST_F(Options, AClosedRunHasNone) {
    scenario_.terminate();
    EXPECT_EQ(refusal(priority(2)).code(), absl::StatusCode::kNotFound);
}

TEST_F(Options, WaitBehindTheTaskThatAWorkerHas) {
    scenario_.start_task();
    update(priority(2));
    EXPECT_EQ(scenario_.last_event(), 3);
    scenario_.complete_task({});
    EXPECT_EQ(scenario_.text_after(4), "5 WorkflowExecutionOptionsUpdated\n6 WorkflowTaskScheduled\n");
}

}  // namespace
}  // namespace stele::history::testing
