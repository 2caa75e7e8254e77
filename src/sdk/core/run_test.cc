#include "sdk/core/run_testing.h"

namespace stele::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT

int charge(int amount) { return amount; }
int refund(int amount) { return amount; }

wf::task<int> charge_after_a_while(int amount) {
    co_await wf::sleep(1min);
    co_return co_await wf::activity<charge>(amount, {.start_to_close = 10s});
}

TEST_F(RunTest, EveryTaskYieldsTheNextCommands) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    auto run = make_run();

    auto commands = run_task(*run, writer, writer.start_task(), 0);
    ASSERT_EQ(types(commands), std::vector{enums::COMMAND_TYPE_START_TIMER});
    EXPECT_EQ(commands[0].start_timer_command_attributes().start_to_fire_timeout().seconds(), 60);
    writer.complete_task(commands);

    writer.fire("1");
    commands = run_task(*run, writer, writer.start_task(), 3);
    ASSERT_EQ(types(commands), std::vector{enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK});
    const auto& scheduled = commands[0].schedule_activity_task_command_attributes();
    EXPECT_EQ(scheduled.activity_type().name(), "charge");
    EXPECT_EQ(scheduled.input().payloads(0).data(), "7");
    EXPECT_EQ(scheduled.task_queue().name(), "queue");
    writer.complete_task(commands);

    writer.complete_activity(*writer.activities().begin(), "7");
    commands = run_task(*run, writer, writer.start_task(), 9);
    ASSERT_EQ(types(commands), std::vector{enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION});
    EXPECT_EQ(
        commands[0].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "7");
    EXPECT_TRUE(run->ended());
    writer.complete_task(commands);
    EXPECT_EQ(replay_error(writer), "");
}

TEST_F(RunTest, ColdCacheRebuildsTheRunAndContinues) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    writer.complete_task(run_task(*make_run(), writer, writer.start_task(), 0));
    writer.fire("1");
    const auto commands = run_task(*make_run(), writer, writer.start_task(), 3);
    EXPECT_EQ(types(commands), std::vector{enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK});
}

TEST_F(RunTest, FailedAttemptsOfATaskAreNotPartOfTheWorkflowsLife) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    writer.start_task();
    writer.fail_task();
    writer.start_task();
    writer.fail_task();
    const auto commands = run_task(*make_run(), writer, writer.start_task(), 0);
    EXPECT_EQ(types(commands), std::vector{enums::COMMAND_TYPE_START_TIMER});
}

TEST_F(RunTest, HistoryMayArriveEventByEvent) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    auto first = make_run();
    writer.complete_task(run_task(*first, writer, writer.start_task(), 0));
    writer.fire("1");
    const std::int64_t started = writer.start_task();

    auto run = make_run();
    run->begin({3, started});
    const auto events = writer.from(1);
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(run->advance(), core::Run::Progress::kNeedsHistory) << "before event " << i + 1;
        run->history().add(std::vector<HistoryEvent>{events[i]});
    }
    run->history().finish();
    EXPECT_EQ(run->advance(), core::Run::Progress::kCaughtUp);
    EXPECT_EQ(types(run->take_commands()), std::vector{enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK});
}

TEST_F(RunTest, GapInAHistoryIsRefused) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    writer.start_task();
    auto events = writer.from(1);
    events.erase(events.begin() + 1);
    auto run = make_run();
    EXPECT_THROW(run->history().add(std::move(events)), WorkflowTaskFailure);
}

TEST_F(RunTest, HistoryThatEndsBeforeItsTaskIsRefused) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    auto run = make_run();
    run->history().add(writer.from(1));
    run->history().finish();
    run->begin({0, 3});
    EXPECT_THROW((void)run->advance(), WorkflowTaskFailure);
}

// Every mismatch below is a change of the code under a history that another version recorded.

wf::task<int> refund_after_a_while(int amount) {
    co_await wf::sleep(1min);
    co_return co_await wf::activity<refund>(amount, {.start_to_close = 10s});
}
wf::task<int> charge_at_once(int amount) {
    co_return co_await wf::activity<charge>(amount, {.start_to_close = 10s});
}
wf::task<int> give_up_at_once(int) { co_return 0; }
wf::task<int> two_timers(int) {
    (void)co_await wf::all(wf::sleep(1min), wf::sleep(2min));
    co_return 0;
}
wf::task<> signal_first(int) { co_await wf::external_workflow("other").signal("go"); }
wf::task<> signal_second(int) { co_await wf::external_workflow("other").signal("stop"); }

class MismatchTest : public RunTest {
protected:
    /// The first two tasks of charge_after_a_while.
    HistoryWriter recorded() {
        sdk::Registry original;
        std::swap(original, registry_);
        add<charge_after_a_while>();
        HistoryWriter writer("w", {"7"});
        auto run = make_run();
        writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
        writer.fire("1");
        writer.complete_task(run_task(*run, writer, writer.start_task(), 3));
        run.reset();
        std::swap(original, registry_);
        return writer;
    }
};

TEST_F(MismatchTest, RenamedActivityIsNamed) {
    add<refund_after_a_while>();
    expect_mentions(replay_error(recorded()),
                    {"[nondeterminism]", "event 10 (ActivityTaskScheduled)",
                     "activity 1 \"refund\"", "scheduled \"charge\""});
}

TEST_F(MismatchTest, RemovedStepIsNamed) {
    add<charge_at_once>();
    expect_mentions(replay_error(recorded()),
                    {"[nondeterminism]", "event 5 (TimerStarted)", "activity 1 \"charge\""});
}

TEST_F(MismatchTest, EarlyEndIsNamed) {
    add<give_up_at_once>();
    expect_mentions(replay_error(recorded()),
                    {"[nondeterminism]", "event 5 (TimerStarted)", "completion of the workflow"});
}

TEST_F(MismatchTest, AddedStepIsNamed) {
    add<two_timers>();
    expect_mentions(replay_error(recorded()), {"[nondeterminism]", "timer 2", "no such step"});
}

TEST_F(MismatchTest, StepThatTheCodeNeverReachesIsNamed) {
    add<signal_first>();
    HistoryWriter writer("w", {"1"});
    auto run = make_run();
    auto commands = run_task(*run, writer, writer.start_task(), 0);
    writer.complete_task(commands);
    auto& extra = writer.add(enums::EVENT_TYPE_TIMER_STARTED);
    extra.mutable_timer_started_event_attributes()->set_timer_id("1");
    expect_mentions(replay_error(writer), {"event 6 (TimerStarted)", "no counterpart"});
}

TEST_F(MismatchTest, OtherSignalToAnExternalWorkflowIsNamed) {
    add<signal_first>();
    HistoryWriter writer("w", {"1"});
    auto run = make_run();
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
    registry_ = {};
    add<signal_second>();
    expect_mentions(replay_error(writer), {"event 5", "\"stop\"", "\"go\""});
}

TEST_F(MismatchTest, EventWithoutItsCauseIsNamed) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"1"});
    auto run = make_run();
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
    auto& stray = writer.add(enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    stray.mutable_activity_task_completed_event_attributes()->set_scheduled_event_id(5);
    expect_mentions(replay_error(writer), {"event 6 (ActivityTaskCompleted)", "event 5"});
}

TEST_F(RunTest, UnknownFlagOfTheHistoryIsRefused) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    auto run = make_run();
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0), {1, 4711});
    expect_mentions(replay_error(writer), {"flag 4711"});
}

TEST_F(RunTest, FlagsAreRecordedOnceWithTheFirstCompletion) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    auto run = make_run();
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
    EXPECT_EQ(run->take_flags(), std::vector<std::uint32_t>{1});
    writer.fire("1");
    (void)run_task(*run, writer, writer.start_task(), 3);
    EXPECT_TRUE(run->take_flags().empty());
}

TEST_F(RunTest, UnknownEventFailsTheTaskUnlessItMayBeIgnored) {
    add<charge_after_a_while>();
    HistoryWriter writer("w", {"7"});
    writer.add(static_cast<enums::EventType>(9999));
    writer.start_task();
    writer.complete_task({});
    expect_mentions(replay_error(writer), {"event 2", "does not know"});
    writer.history().mutable_events(1)->set_worker_may_ignore(true);
    EXPECT_EQ(replay_error(writer).find("does not know"), std::string::npos);
}

wf::task<> timer_and_back() {
    auto winner = co_await wf::any(wf::sleep(1h), wf::sleep(Milliseconds(0)));
    if (winner.index() != 1) throw std::logic_error("the longer timer won");
}

TEST_F(RunTest, WhatIsCancelledBeforeItWasSentLeavesNoCommand) {
    add<timer_and_back>();
    HistoryWriter writer("w");
    const auto commands = run_task(*make_run(), writer, writer.start_task(), 0);
    EXPECT_EQ(types(commands), std::vector{enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION});
}

template <ActivityCancellation Mode>
wf::task<std::string> cancellable() {
    auto result = co_await wf::capture(
        wf::activity<charge>(1, {.start_to_close = 10s, .cancellation = Mode}));
    co_return result.cancelled() ? "cancelled" : result.ok() ? "completed" : "failed";
}

TEST_F(RunTest, TriedCancellationDoesNotWaitForTheActivity) {
    add<cancellable<ActivityCancellation::kTryCancel>>();
    auto run = make_run();
    HistoryWriter writer("w");
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
    writer.request_cancel();
    const auto commands = run_task(*run, writer, writer.start_task(), 3);
    ASSERT_EQ(types(commands), (std::vector{enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
                                            enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION}));
    EXPECT_EQ(
        commands[1].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "\"cancelled\"");
}

TEST_F(RunTest, AwaitedCancellationTakesTheActivitysAnswer) {
    add<cancellable<ActivityCancellation::kWaitCompleted>>();
    auto run = make_run();
    HistoryWriter writer("w");
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
    writer.request_cancel();
    auto commands = run_task(*run, writer, writer.start_task(), 3);
    ASSERT_EQ(types(commands), std::vector{enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK});
    writer.complete_task(commands);
    writer.complete_activity(*writer.activities().begin(), "1");
    commands = run_task(*run, writer, writer.start_task(), 8);
    ASSERT_EQ(commands.size(), 1u);
    EXPECT_EQ(
        commands[0].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "\"completed\"");
}

TEST_F(RunTest, AbandonedActivityIsNotAskedAndItsLateEndIsIgnored) {
    add<cancellable<ActivityCancellation::kAbandon>>();
    auto run = make_run();
    HistoryWriter writer("w");
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
    writer.request_cancel();
    const auto commands = run_task(*run, writer, writer.start_task(), 3);
    EXPECT_EQ(types(commands), std::vector{enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION});
    writer.complete_task(commands);
    EXPECT_EQ(replay_error(writer), "");
}

wf::task<std::vector<std::string>> order_of_arrival() {
    std::vector<std::string> seen;
    wf::signals<std::string> names("name");
    auto timer = [](std::vector<std::string>* log) -> wf::task<> {
        co_await wf::sleep(1s);
        log->push_back("timer");
    };
    auto signal = [](std::vector<std::string>* log, wf::signals<std::string>* from) -> wf::task<> {
        log->push_back(co_await from->next());
    };
    co_await wf::all(timer(&seen), signal(&seen, &names));
    co_return seen;
}

TEST_F(RunTest, EveryJobIsAppliedBeforeAnyCodeRuns) {
    add<order_of_arrival>();
    auto run = make_run();
    HistoryWriter writer("w");
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
    writer.fire("1");
    writer.signal("name", "\"signal\"");
    const auto commands = run_task(*run, writer, writer.start_task(), 3);
    // The timer's coroutine was made ready by its job; the condition is looked at afterwards.
    EXPECT_EQ(
        commands.at(0).complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "[\"timer\",\"signal\"]");
}

wf::task<std::string> old_or_new() {
    if (wf::patched("change"))
        co_return co_await wf::activity_by_name<std::string>("new_way", {.start_to_close = 1s});
    co_return co_await wf::activity_by_name<std::string>("old_way", {.start_to_close = 1s});
}
wf::task<std::string> only_old() {
    co_return co_await wf::activity_by_name<std::string>("old_way", {.start_to_close = 1s});
}
wf::task<std::string> only_new() {
    co_return co_await wf::activity_by_name<std::string>("new_way", {.start_to_close = 1s});
}
wf::task<std::string> deprecated_patch() {
    wf::deprecate_patch("change");
    co_return co_await wf::activity_by_name<std::string>("new_way", {.start_to_close = 1s});
}

TEST_F(RunTest, PatchKeepsOldRunsOnTheOldWayAndNewOnesOnTheNew) {
    add<only_old>();
    HistoryWriter old("w");
    old.complete_task(run_task(*make_run(), old, old.start_task(), 0));

    registry_ = {};
    add<old_or_new>();
    EXPECT_EQ(replay_error(old), "");
    HistoryWriter fresh("w");
    const auto commands = run_task(*make_run(), fresh, fresh.start_task(), 0);
    EXPECT_EQ(types(commands), (std::vector{enums::COMMAND_TYPE_RECORD_MARKER,
                                            enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
                                            enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK}));
    fresh.complete_task(commands);
    EXPECT_EQ(replay_error(fresh), "");

    registry_ = {};
    add<only_new>();
    expect_mentions(replay_error(fresh), {"event 5 (MarkerRecorded)"});
    registry_ = {};
    add<deprecated_patch>();
    EXPECT_EQ(replay_error(fresh), "");
    HistoryWriter later("w");
    later.complete_task(run_task(*make_run(), later, later.start_task(), 0));
    registry_ = {};
    add<only_new>();
    EXPECT_EQ(replay_error(later), "") << "a deprecated marker may lose its call";
}

/// Calls the SDK from a destructor, as code that cleans up after itself may do.
struct CallsOnDestruction {
    ~CallsOnDestruction() {
        auto abandoned = wf::sleep(1s);
        (void)wf::now();
        ++destroyed;
    }
    static inline int destroyed = 0;
};

wf::task<> holds_an_object() {
    CallsOnDestruction object;
    co_await wf::sleep(1h);
}

TEST_F(RunTest, EvictionDestroysTheFramesAndEmitsNothing) {
    add<holds_an_object>();
    CallsOnDestruction::destroyed = 0;
    auto run = make_run();
    HistoryWriter writer("w");
    writer.complete_task(run_task(*run, writer, writer.start_task(), 0));
    run.reset();
    EXPECT_EQ(CallsOnDestruction::destroyed, 1);
}

wf::task<> query_that_writes() {
    wf::on_query("bad", [] { return static_cast<int>(wf::random() & 1); });
    wf::on_query("good", [] { return 5; });
    co_await wf::sleep(1h);
}

TEST_F(RunTest, QueryCannotChangeAnything) {
    add<query_that_writes>();
    auto run = make_run();
    HistoryWriter writer("w");
    (void)run_task(*run, writer, writer.start_task(), 0);
    EXPECT_EQ(run->code()->query("good", {}).data(), "5");
    EXPECT_THROW((void)run->code()->query("bad", {}), IllegalCallError);
    EXPECT_THROW((void)run->code()->query("unknown", {}), IllegalCallError);
}

TEST_F(RunTest, SdkCallsOutsideOfAWorkflowAreRefused) {
    EXPECT_THROW((void)wf::now(), IllegalCallError);
    EXPECT_THROW((void)activity::info(), IllegalCallError);
}

}  // namespace
}  // namespace stele::core
