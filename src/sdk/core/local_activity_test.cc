#include <set>

#include "sdk/core/run_testing.h"
#include "temporal/api/sdk/v1/enhanced_stack_trace.pb.h"

// Local activities: no event but a marker, at the place where the code heard of the end.
namespace stele::core {
namespace {

using namespace std::chrono_literals;
using namespace testing;  // NOLINT

class RunLocalActivityTest : public RunTest {
protected:
    static LocalActivityOutcome completed(const std::string& json, std::int64_t seconds = 0) {
        LocalActivityOutcome outcome;
        *outcome.resolution.result.add_payloads() = HistoryWriter::make(json);
        outcome.complete_time_nanoseconds = seconds * 1'000'000'000;
        return outcome;
    }
    static LocalActivityOutcome failed(Milliseconds backoff = Milliseconds(0)) {
        LocalActivityOutcome outcome;
        outcome.resolution.kind = Resolution::Kind::kFailed;
        outcome.resolution.failure.set_message("Activity task failed");
        outcome.resolution.failure.mutable_activity_failure_info();
        outcome.resolution.failure.mutable_cause()->set_message("broken");
        outcome.resolution.failure.mutable_cause()->mutable_application_failure_info();
        outcome.backoff = backoff;
        outcome.original_schedule_time_nanoseconds = 1'000'000'000;
        return outcome;
    }
    static std::vector<Sequence> sequences(const std::vector<LocalActivity>& activities) {
        std::vector<Sequence> result;
        for (const LocalActivity& activity : activities) result.push_back(activity.sequence);
        return result;
    }

    HistoryWriter writer_{"w"};
};

int price(std::string item) { return static_cast<int>(item.size()); }

wf::task<int> one_then_another() {
    const int first = co_await wf::local_activity<price>("a", {.start_to_close = 5s});
    co_await wf::sleep(1min);
    co_return first + co_await wf::local_activity<price>("bc", {.start_to_close = 5s});
}

TEST_F(RunLocalActivityTest, WholeLifeFitsIntoOneTaskAndLeavesAMarker) {
    add<one_then_another>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    const auto work = run->take_local_work();
    ASSERT_EQ(work.start.size(), 1u);
    EXPECT_EQ(work.start[0].type, "price");
    EXPECT_EQ(work.start[0].activity_id, "1");
    EXPECT_EQ(work.start[0].start_to_close, 5s);
    EXPECT_EQ(work.start[0].input.payloads(0).data(), "\"a\"");
    EXPECT_TRUE(run->waits_for_local_activities());
    EXPECT_TRUE(run->take_local_work().start.empty()) << "once";

    run->resolve_local_activity(1, completed("1"));
    EXPECT_FALSE(run->waits_for_local_activities());
    const auto commands = run->take_commands();
    ASSERT_EQ(types(commands),
              (std::vector{enums::COMMAND_TYPE_RECORD_MARKER, enums::COMMAND_TYPE_START_TIMER}));
    const auto& marker = commands[0].record_marker_command_attributes();
    EXPECT_EQ(marker.marker_name(), "core_local_activity");
    const auto data = nlohmann::json::parse(marker.details().at("data").payloads(0).data());
    EXPECT_EQ(data["seq"], 1);
    EXPECT_EQ(data["activity_type"], "price");
    EXPECT_EQ(marker.details().at("result").payloads(0).data(), "1");
    writer_.complete_task(commands);
    EXPECT_EQ(replay_error(writer_), "");
}

TEST_F(RunLocalActivityTest, ReplayTakesTheOutcomeFromTheMarkerAndAsksForNothing) {
    add<one_then_another>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    (void)run->take_local_work();
    run->resolve_local_activity(1, completed("1"));
    writer_.complete_task(run->take_commands());
    writer_.fire("1");
    auto cold = make_run();
    (void)run_task(*cold, writer_, writer_.start_task(), 3);
    EXPECT_EQ(sequences(cold->take_local_work().start), std::vector<Sequence>{2});
    cold->resolve_local_activity(2, completed("2"));
    const auto commands = cold->take_commands();
    ASSERT_EQ(commands.size(), 2u);
    EXPECT_EQ(
        commands[1].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "3");
    EXPECT_TRUE(cold->ended());
}

TEST_F(RunLocalActivityTest, HeartbeatGoesOnInTheNextTaskAndReplaysAlike) {
    add<one_then_another>();
    auto run = make_run();
    EXPECT_TRUE(run_task(*run, writer_, writer_.start_task(), 0).empty());
    (void)run->take_local_work();
    writer_.complete_task({});
    EXPECT_TRUE(run_task(*run, writer_, writer_.start_task(), 3).empty());
    EXPECT_TRUE(run->take_local_work().start.empty());
    EXPECT_TRUE(run->waits_for_local_activities());
    run->resolve_local_activity(1, completed("1"));
    const auto commands = run->take_commands();
    EXPECT_EQ(commands.size(), 2u);
    writer_.complete_task(commands);
    EXPECT_EQ(replay_error(writer_), "");
}

TEST_F(RunLocalActivityTest, WorkerThatLostTheRunBeginsAgainWithWhatHasNoMarker) {
    add<one_then_another>();
    (void)run_task(*make_run(), writer_, writer_.start_task(), 0);
    writer_.complete_task({});
    auto cold = make_run();
    (void)run_task(*cold, writer_, writer_.start_task(), 3);
    EXPECT_EQ(sequences(cold->take_local_work().start), std::vector<Sequence>{1});
}

wf::task<std::string> both_at_once() {
    auto named = [](std::string item, std::string* log) -> wf::task<> {
        co_await wf::local_activity<price>(item, {.start_to_close = 5s});
        *log += item + std::to_string(wf::now().time_since_epoch() / 1s);
    };
    std::string log;
    (void)co_await wf::all(named("a", &log), named("b", &log));
    co_return log;
}

TEST_F(RunLocalActivityTest, OutcomesAreToldInTheOrderOfTheirMarkersAndMoveTheClock) {
    add<both_at_once>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    EXPECT_EQ(run->take_local_work().start.size(), 2u);
    run->resolve_local_activity(2, completed("1", 1'000'100));
    run->resolve_local_activity(1, completed("1", 1'000'090));
    const auto commands = run->take_commands();
    ASSERT_EQ(commands.size(), 3u);
    EXPECT_EQ(
        commands[2].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "\"b1000100a1000100\"");
    writer_.complete_task(commands);
    EXPECT_EQ(replay_error(writer_), "");
}

TEST_F(RunLocalActivityTest, LongPauseIsATimerAndThenAnotherSeriesOfAttempts) {
    add<one_then_another>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    (void)run->take_local_work();
    run->resolve_local_activity(1, failed(2min));
    auto commands = run->take_commands();
    ASSERT_EQ(types(commands),
              (std::vector{enums::COMMAND_TYPE_RECORD_MARKER, enums::COMMAND_TYPE_START_TIMER}));
    EXPECT_EQ(commands[1].start_timer_command_attributes().start_to_fire_timeout().seconds(), 120);
    writer_.complete_task(commands);
    writer_.fire("1");
    auto cold = make_run();
    (void)run_task(*cold, writer_, writer_.start_task(), 3);
    const auto work = cold->take_local_work();
    ASSERT_EQ(work.start.size(), 1u);
    EXPECT_EQ(work.start[0].sequence, 2u);
    EXPECT_EQ(work.start[0].activity_id, "1");
    EXPECT_EQ(work.start[0].attempt, 2);
    EXPECT_EQ(work.start[0].original_schedule_time_nanoseconds, 1'000'000'000);
}

wf::task<std::string> reports_failure() {
    auto result = co_await wf::capture(wf::local_activity<price>("a", {.schedule_to_close = 5s}));
    co_return result.ok() ? "done" : std::string(result.error()->root().what());
}

TEST_F(RunLocalActivityTest, FailureIsThrownAsAnActivitysAndReplays) {
    add<reports_failure>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    (void)run->take_local_work();
    run->resolve_local_activity(1, failed());
    const auto commands = run->take_commands();
    ASSERT_EQ(commands.size(), 2u);
    EXPECT_TRUE(commands[0].record_marker_command_attributes().has_failure());
    expect_mentions(
        commands[1].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        {"broken"});
    writer_.complete_task(commands);
    EXPECT_EQ(replay_error(writer_), "");
}

template <ActivityCancellation Mode>
wf::task<std::string> cancellable_local() {
    auto result = co_await wf::capture(
        wf::local_activity<price>("a", {.start_to_close = 1h, .cancellation = Mode}));
    co_return result.cancelled() ? "cancelled" : result.ok() ? "completed" : "failed";
}

TEST_F(RunLocalActivityTest, TriedCancellationGoesOnAtOnceAndLeavesNoMarker) {
    add<cancellable_local<ActivityCancellation::kTryCancel>>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    (void)run->take_local_work();
    writer_.complete_task({});
    writer_.request_cancel();
    (void)run_task(*run, writer_, writer_.start_task(), 3);
    EXPECT_EQ(run->take_local_work().cancel, std::vector<Sequence>{1});
    EXPECT_TRUE(run->ended());
    run->resolve_local_activity(1, completed("1"));
}

TEST_F(RunLocalActivityTest, AwaitedCancellationTakesWhatTheActivityAnswers) {
    add<cancellable_local<ActivityCancellation::kWaitCompleted>>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    (void)run->take_local_work();
    writer_.complete_task({});
    writer_.request_cancel();
    (void)run_task(*run, writer_, writer_.start_task(), 3);
    EXPECT_EQ(run->take_local_work().cancel, std::vector<Sequence>{1});
    EXPECT_TRUE(run->waits_for_local_activities());
    run->resolve_local_activity(1, completed("1"));
    const auto commands = run->take_commands();
    ASSERT_EQ(commands.size(), 2u);
    EXPECT_EQ(
        commands[1].complete_workflow_execution_command_attributes().result().payloads(0).data(),
        "\"completed\"");
    writer_.complete_task(commands);
    EXPECT_EQ(replay_error(writer_), "");
}

wf::task<int> no_local_activity() {
    co_await wf::sleep(1min);
    co_return 0;
}

TEST_F(RunLocalActivityTest, RemovedLocalActivityIsNamed) {
    add<one_then_another>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    (void)run->take_local_work();
    run->resolve_local_activity(1, completed("1"));
    writer_.complete_task(run->take_commands());
    registry_ = {};
    add<no_local_activity>();
    expect_mentions(replay_error(writer_), {"[nondeterminism]", "event 5 (MarkerRecorded)"});
}

wf::task<int> waits_within() {
    auto body = [](int depth) -> wf::task<int> {
        co_await wf::sleep(std::chrono::seconds(depth));
        co_return depth;
    };
    (void)co_await wf::all(body(1), body(2));
    co_return 1;
}

TEST_F(RunLocalActivityTest, StackTraceShowsWhatIsWaitedForAndWhere) {
    add<waits_within>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    const std::string trace = run->code()->query("__stack_trace", {}).data();
    expect_mentions(trace, {"waits_within", "local_activity_test.cc:"});
}

TEST_F(RunLocalActivityTest, EnhancedStackTraceHasAStackForEveryWait) {
    add<waits_within>();
    auto run = make_run();
    (void)run_task(*run, writer_, writer_.start_task(), 0);
    const auto trace = decode_value<temporal::api::sdk::v1::EnhancedStackTrace>(
        run->code()->query("__enhanced_stack_trace", {}));
    EXPECT_EQ(trace.sdk().name(), "stele-cpp");
    ASSERT_EQ(trace.stacks_size(), 2);
    for (const auto& stack : trace.stacks()) {
        std::set<std::string> own;
        for (const auto& location : stack.locations()) {
            EXPECT_GT(location.line(), 0);
            const bool here =
                location.file_path().find("local_activity_test.cc") != std::string::npos;
            EXPECT_EQ(location.internal_code(), !here) << location.file_path();
            if (here) own.insert(location.function_name());
        }
        // The lambda and the main routine that waits for it.
        EXPECT_EQ(own.size(), 2);
    }
}

}  // namespace
}  // namespace stele::core
