#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sdk/replay/golden_testing.h"

// Histories that were recorded once must replay for ever, and a changed workflow must be refused with
// words that say where. They are recorded by GoldenTest of stele_embedded_test.
namespace stele::golden {
namespace {

using ::testing::HasSubstr;

TEST(GoldenHistoriesTest, AllReplayAsTheyWereLived) {
    Replayer replayer;
    register_recorded(replayer);
    const auto results = replayer.replay_directory(kDirectory);
    EXPECT_GE(results.size(), 15);
    for (const auto& [path, result] : results) EXPECT_EQ(result.error, "") << path;
}

/// Replays the history of a step by a changed workflow of the same name.
struct Change {
    std::string step;
    std::string change;
    std::function<void(Replayer&, const std::string&)> make;
    /// The event at which they part, and the step that stands against it.
    std::vector<std::string> mentions;
};

template <auto Fn>
void as_workflow(Replayer& replayer, const std::string& name) {
    replayer.register_workflow<Fn>(name);
}

template <class Object>
void as_silent_type(Replayer& replayer, const std::string&) {
    wf::register_type<Object>(replayer, "UpdateStep").template run<&Object::run>();
}

void as_renamed_update(Replayer& replayer, const std::string&) {
    wf::register_type<renamed::UpdateStep>(replayer, "UpdateStep")
        .run<&renamed::UpdateStep::run>()
        .update<&renamed::UpdateStep::subtract>();
}

class ChangedWorkflowTest : public ::testing::TestWithParam<Change> {};

TEST_P(ChangedWorkflowTest, IsRefusedWithEventAndStep) {
    const Change& change = GetParam();
    Replayer replayer;
    change.make(replayer, change.step);
    const auto [path, result] =
        replayer.replay_file(std::string(kDirectory) + "/" + change.step + ".json");
    EXPECT_FALSE(result.ok);
    EXPECT_THAT(result.error, HasSubstr("[nondeterminism]"));
    for (const std::string& part : change.mentions) EXPECT_THAT(result.error, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(
    EveryKindOfStep, ChangedWorkflowTest,
    ::testing::Values(
        Change{"activity_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"event 5 (ActivityTaskScheduled)", "timer 1"}},
        Change{"activity_step",
               "swapped",
               as_workflow<swapped::activity_step>,
               {"event 5 (ActivityTaskScheduled)", "timer 1"}},
        Change{"activity_step",
               "renamed",
               as_workflow<renamed::activity_step>,
               {"event 5 (ActivityTaskScheduled)", "refund", "charge"}},
        Change{"timer_step",
               "removed",
               as_workflow<removed::timer_step>,
               {"event 5 (TimerStarted)", "activity 1", "charge"}},
        Change{"timer_step",
               "swapped",
               as_workflow<swapped::timer_step>,
               {"event 5 (TimerStarted)", "activity 1", "charge"}},
        Change{"timer_cancel_step",
               "removed",
               as_workflow<removed::timer_cancel_step>,
               {"event 6 (TimerStarted)"}},
        Change{"activity_cancel_step",
               "removed",
               as_workflow<removed::activity_cancel_step>,
               {"(ActivityTaskCancelRequested)"}},
        Change{"child_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"event 5 (StartChildWorkflowExecutionInitiated)", "timer 1"}},
        Change{"child_step",
               "swapped",
               as_workflow<swapped::child_step>,
               {"event 5 (StartChildWorkflowExecutionInitiated)", "timer 1"}},
        Change{"child_step",
               "renamed",
               as_workflow<renamed::child_step>,
               {"event 5 (StartChildWorkflowExecutionInitiated)", "another_leaf"}},
        Change{"signal_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"event 5 (SignalExternalWorkflowExecutionInitiated)", "timer 1"}},
        Change{"signal_step",
               "swapped",
               as_workflow<swapped::signal_step>,
               {"event 5 (SignalExternalWorkflowExecutionInitiated)", "timer 1"}},
        Change{"signal_step",
               "renamed",
               as_workflow<renamed::signal_step>,
               {"event 5 (SignalExternalWorkflowExecutionInitiated)", "stop"}},
        Change{"cancel_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"event 5 (RequestCancelExternalWorkflowExecutionInitiated)", "timer 1"}},
        Change{"cancel_step",
               "swapped",
               as_workflow<swapped::cancel_step>,
               {"event 5 (RequestCancelExternalWorkflowExecutionInitiated)", "timer 1"}},
        Change{"local_activity_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"event 5 (MarkerRecorded)"}},
        Change{"local_activity_step",
               "swapped",
               as_workflow<swapped::local_activity_step>,
               {"event 5 (MarkerRecorded)"}},
        Change{"local_activity_step",
               "renamed",
               as_workflow<renamed::local_activity_step>,
               {"event 5 (MarkerRecorded)", "refund"}},
        Change{"patch_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"event 5 (MarkerRecorded)", "timer 1"}},
        Change{"patch_step",
               "swapped",
               as_workflow<swapped::patch_step>,
               {"event 5 (MarkerRecorded)", "timer 1"}},
        Change{"patch_step",
               "renamed",
               as_workflow<renamed::patch_step>,
               {"event 5 (MarkerRecorded)", "timer 1"}},
        Change{"attributes_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"event 5 (UpsertWorkflowSearchAttributes)", "timer 1"}},
        Change{"attributes_step",
               "swapped",
               as_workflow<swapped::attributes_step>,
               {"event 5 (UpsertWorkflowSearchAttributes)", "timer 1"}},
        Change{"memo_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"event 5 (WorkflowPropertiesModified)", "timer 1"}},
        Change{"memo_step",
               "swapped",
               as_workflow<swapped::memo_step>,
               {"event 5 (WorkflowPropertiesModified)", "timer 1"}},
        Change{"continue_step",
               "removed",
               as_workflow<removed::end>,
               {"(WorkflowExecutionContinuedAsNew)", "the completion of the workflow"}},
        Change{"failure_step",
               "removed",
               as_workflow<removed::only_the_timer>,
               {"(WorkflowExecutionFailed)", "the completion of the workflow"}},
        Change{"cancelled_step",
               "swallowed",
               as_workflow<renamed::cancelled_step>,
               {"(WorkflowExecutionCanceled)", "the completion of the workflow"}},
        Change{"update_step",
               "removed",
               as_silent_type<removed::UpdateStep>,
               {"timer 1", "before event 6"}},
        Change{
            "update_step", "renamed", as_renamed_update, {"unknown update \"add\"", "subtract"}}),
    [](const ::testing::TestParamInfo<Change>& tested) {
        return tested.param.step + "_" + tested.param.change;
    });

class HistoryFilesTest : public ::testing::Test {
protected:
    HistoryFilesTest()
        : directory_(::testing::TempDir() + "stele_history_files_" +
                     ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
        std::filesystem::remove_all(directory_);
        std::filesystem::create_directories(directory_ + "/deeper");
    }
    ~HistoryFilesTest() override { std::filesystem::remove_all(directory_); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(directory_ + "/" + name) << text;
    }

    std::string directory_;
};

TEST_F(HistoryFilesTest, DirectoryIsReadToItsBottomInOrder) {
    const std::string golden = std::string(kDirectory) + "/timer_step.json";
    std::filesystem::copy(golden, directory_ + "/deeper/b.json");
    std::filesystem::copy(golden, directory_ + "/c.json");
    write("a.json", "{\"events\": [");
    write("notes.txt", "not a history");
    Replayer replayer;
    replayer.register_workflow<timer_step>();
    const auto results = replayer.replay_directory(directory_);
    ASSERT_EQ(results.size(), 3);
    EXPECT_THAT(results[0].path, HasSubstr("a.json"));
    EXPECT_THAT(results[0].result.error, HasSubstr("not a history in JSON"));
    EXPECT_THAT(results[1].path, HasSubstr("c.json"));
    EXPECT_TRUE(results[1].result.ok);
    EXPECT_THAT(results[2].path, HasSubstr("deeper/b.json"));
    EXPECT_TRUE(results[2].result.ok);
}

TEST_F(HistoryFilesTest, NothingToReplayIsAnError) {
    Replayer replayer;
    EXPECT_THROW((void)replayer.replay_directory(directory_), Error);
    EXPECT_THROW((void)replayer.replay_directory(directory_ + "/missing"), Error);
    EXPECT_FALSE(replayer.replay_file(directory_ + "/missing.json").result.ok);
}

TEST_F(HistoryFilesTest, ShortNamesOfOlderToolsAreUnderstood) {
    std::ifstream file(std::string(kDirectory) + "/timer_step.json");
    std::string text(std::istreambuf_iterator<char>(file), {});
    const std::vector<std::pair<std::string, std::string>> short_names = {
        {"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED", "WorkflowExecutionStarted"},
        {"EVENT_TYPE_TIMER_STARTED", "TimerStarted"},
        {"EVENT_TYPE_WORKFLOW_TASK_SCHEDULED", "WorkflowTaskScheduled"},
        {"TASK_QUEUE_KIND_NORMAL", "Normal"}};
    for (const auto& [full, brief] : short_names) {
        ASSERT_THAT(text, HasSubstr(full));
        for (std::size_t at = 0; (at = text.find(full)) != std::string::npos;)
            text.replace(at, full.size(), brief);
    }
    Replayer replayer;
    replayer.register_workflow<timer_step>();
    EXPECT_EQ(replayer.replay_json(text).error, "");
    Replayer changed;
    changed.register_workflow<removed::timer_step>("timer_step");
    EXPECT_THAT(changed.replay_json(text).error, HasSubstr("event 5 (TimerStarted)"));
}

TEST_F(HistoryFilesTest, UnknownNameIsAnError) {
    Replayer replayer;
    EXPECT_THAT(
        replayer.replay_json("{\"events\": [{\"eventId\": 1, \"eventType\": \"Surprise\"}]}").error,
        HasSubstr("event 1 (Unspecified) is of a kind that this SDK does not know"));
    EXPECT_THAT(replayer.replay_json("[]").error, HasSubstr("not a JSON object"));
}

}  // namespace
}  // namespace stele::golden
