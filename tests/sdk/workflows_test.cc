#include <atomic>
#include <thread>

#include "tests/sdk/server_fixture.h"

// Workflows by themselves: timers, conditions, combinators, cancellation, ends.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
namespace enums = temporal::api::enums::v1;

class WorkflowTest : public ServerFixture {};

std::string shout(std::string text) { return text + "!"; }

wf::task<std::string> two_at_once(std::string a, std::string b) {
    auto [first, second] = co_await wf::all(wf::activity<shout>(a, {.start_to_close = 10s}),
                                            wf::activity<shout>(b, {.start_to_close = 10s}));
    co_return first + second;
}

TEST_F(WorkflowTest, AllReturnsResultsInTheOrderOfItsArguments) {
    Worker worker = make_worker();
    worker.register_workflow<two_at_once>().register_activity<shout>();
    worker.start();
    EXPECT_EQ(client_->execute<two_at_once>(on_queue(), "a", "b"), "a!b!");
}

TEST_F(WorkflowTest, FirstTaskComesWithTheAnswerToAnEagerStart) {
    Worker worker = make_worker();
    worker.register_workflow<two_at_once>().register_activity<shout>();
    worker.start();
    StartOptions options = on_queue();
    for (const bool eager : {false, true}) {
        options.eager = eager;
        auto handle = client_->start<two_at_once>(options, "a", "b");
        EXPECT_EQ(handle.result(), "a!b!");
        EXPECT_EQ(history_of(handle)
                      .events(0)
                      .workflow_execution_started_event_attributes()
                      .eager_execution_accepted(),
                  eager);
    }
}

wf::task<int> fan_out(int count) {
    std::vector<wf::operation<std::string>> calls;
    for (int i = 0; i < count; ++i)
        calls.push_back(wf::activity<shout>(std::to_string(i), {.start_to_close = 60s}));
    auto results = co_await wf::all(std::move(calls));
    int correct = 0;
    for (int i = 0; i < count; ++i) correct += results[i] == std::to_string(i) + "!";
    co_return correct;
}

TEST_F(WorkflowTest, FansOutToManyActivities) {
    Worker worker = make_worker();
    worker.register_workflow<fan_out>().register_activity<shout>();
    worker.start();
    EXPECT_EQ(client_->execute<fan_out>(on_queue(), 50), 50);
}

wf::task<int> race() {
    auto winner = co_await wf::any(wf::sleep(1h), wf::sleep(100ms), wf::sleep(2h));
    co_return static_cast<int>(winner.index());
}

TEST_F(WorkflowTest, AnyCancelsTheLosers) {
    Worker worker = make_worker();
    worker.register_workflow<race>();
    worker.start();
    auto handle = client_->start<race>(on_queue());
    EXPECT_EQ(handle.result(), 1);
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_TIMER_CANCELED), 2);
}

wf::task<bool> wait_a_moment() {
    co_return co_await wf::until([] { return false; }, 100ms);
}

TEST_F(WorkflowTest, ConditionEndsByTimeout) {
    Worker worker = make_worker();
    worker.register_workflow<wait_a_moment>();
    worker.start();
    EXPECT_FALSE(client_->execute<wait_a_moment>(on_queue()));
}

wf::task<std::string> wait_for_ever_then_clean_up() {
    auto waiting = co_await wf::capture(wf::sleep(24h));
    if (!waiting.cancelled()) co_return "not cancelled";
    (void)co_await wf::shielded(wf::activity<shout>("cleaned", {.start_to_close = 10s}));
    waiting.value();
    co_return "unreachable";
}

TEST_F(WorkflowTest, CancelledWorkflowCleansUpBehindAShield) {
    Worker worker = make_worker();
    worker.register_workflow<wait_for_ever_then_clean_up>().register_activity<shout>();
    worker.start();
    auto handle = client_->start<wait_for_ever_then_clean_up>(on_queue());
    while (count_events(handle, enums::EVENT_TYPE_TIMER_STARTED) == 0)
        std::this_thread::sleep_for(20ms);
    handle.cancel("enough");
    EXPECT_TRUE(failure_cause<CanceledError>(handle));
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED), 1);
    EXPECT_EQ(handle.describe().status, WorkflowStatus::kCanceled);
}

wf::task<> body_of_on_cancel() { co_await wf::sleep(24h); }
wf::task<> cleanup_of_on_cancel() {
    (void)co_await wf::activity<shout>("cleaned", {.start_to_close = 10s});
}
wf::task<> with_on_cancel() { co_await wf::on_cancel(body_of_on_cancel(), cleanup_of_on_cancel()); }

TEST_F(WorkflowTest, OnCancelRunsItsCleanupAndStaysCancelled) {
    Worker worker = make_worker();
    worker.register_workflow<with_on_cancel>().register_activity<shout>();
    worker.start();
    auto handle = client_->start<with_on_cancel>(on_queue());
    handle.cancel();
    EXPECT_TRUE(failure_cause<CanceledError>(handle));
}

wf::task<int> count_down(int left, std::string origin) {
    if (left > 0) co_await wf::continue_as_new<count_down>(left - 1, wf::info().first_run_id);
    co_return origin == wf::info().first_run_id && !wf::info().continued_from_run_id.empty() ? 1
                                                                                             : 0;
}

TEST_F(WorkflowTest, ResultFollowsTheChainOfContinuedRuns) {
    Worker worker = make_worker();
    worker.register_workflow<count_down>();
    worker.start();
    auto handle = client_->start<count_down>(on_queue(), 3, "");
    EXPECT_EQ(handle.result(), 1);
    EXPECT_EQ(handle.describe().status, WorkflowStatus::kContinuedAsNew);
    EXPECT_NE(client_->handle(handle.workflow_id()).describe().run_id, handle.run_id());
}

wf::task<> refuse() {
    throw ApplicationError("no", {.type = "Refused", .details = details(42)});
    co_return;
}

TEST_F(WorkflowTest, ApplicationErrorFailsTheWorkflow) {
    Worker worker = make_worker();
    worker.register_workflow<refuse>();
    worker.start();
    auto cause = failure_cause<ApplicationError>(client_->start<refuse>(on_queue()));
    ASSERT_TRUE(cause);
    EXPECT_EQ(cause->type(), "Refused");
    EXPECT_EQ(cause->message(), "no");
    EXPECT_EQ(cause->detail<int>(), 42);
}

std::atomic<int> buggy_attempts{0};

wf::task<std::string> buggy_at_first() {
    if (buggy_attempts++ == 0) throw std::logic_error("a bug");
    co_return "repaired";
}

TEST_F(WorkflowTest, OtherExceptionsFailTheTaskAndLeaveTheWorkflowAlive) {
    Worker worker = make_worker();
    worker.register_workflow<buggy_at_first>();
    worker.start();
    auto handle = client_->start<buggy_at_first>(on_queue());
    EXPECT_EQ(handle.result(), "repaired");
    const auto history = history_of(handle);
    std::string recorded;
    for (const auto& event : history.events())
        if (event.has_workflow_task_failed_event_attributes())
            recorded = event.workflow_task_failed_event_attributes().failure().message();
    EXPECT_NE(recorded.find("logic_error: a bug"), std::string::npos) << recorded;
}

wf::task<std::vector<std::string>> draws() {
    std::vector<std::string> drawn = {wf::uuid()};
    wf::on_query("first", [first = drawn[0]] { return first; });
    co_await wf::sleep(10ms);
    drawn.push_back(wf::uuid());
    co_await wf::sleep(10ms);
    co_return drawn;
}

TEST_F(WorkflowTest, RunsWithoutACacheAndDrawsTheSameRandomNumbersAgain) {
    Worker worker = make_worker({.cached_runs_max = 0});
    worker.register_workflow<draws>();
    worker.start();
    auto handle = client_->start<draws>(on_queue());
    const auto drawn = handle.result();
    ASSERT_EQ(drawn.size(), 2u);
    EXPECT_NE(drawn[0], drawn[1]);
    EXPECT_EQ(handle.query<std::string>("first"), drawn[0]);
}

wf::task<std::string> with_patch() {
    const bool fresh = wf::patched("new-way");
    co_await wf::sleep(10ms);
    co_return fresh&& wf::patched("new-way") ? "new" : "old";
}

TEST_F(WorkflowTest, PatchIsTakenByNewRunsAndRecorded) {
    Worker worker = make_worker({.cached_runs_max = 0});
    worker.register_workflow<with_patch>();
    worker.start();
    auto handle = client_->start<with_patch>(on_queue());
    EXPECT_EQ(handle.result(), "new");
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_MARKER_RECORDED), 1);
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES), 1);
}

TEST_F(WorkflowTest, IdPoliciesOfAStartAreHonoured) {
    auto options = on_queue();
    options.id = queue_;
    auto handle = client_->start<race>(options);
    try {
        (void)client_->start<race>(options);
        FAIL() << "started twice";
    } catch (const WorkflowAlreadyStartedError& error) {
        EXPECT_EQ(error.workflow_id(), queue_);
        EXPECT_EQ(error.run_id(), handle.run_id());
    }
    options.id_conflict = IdConflictPolicy::kUseExisting;
    EXPECT_EQ(client_->start<race>(options).run_id(), handle.run_id());
    handle.terminate("test over");
    EXPECT_TRUE(failure_cause<TerminatedError>(handle));
    options.id_reuse = IdReusePolicy::kRejectDuplicate;
    EXPECT_THROW((void)client_->start<race>(options), WorkflowAlreadyStartedError);
}

TEST_F(WorkflowTest, UnknownWorkflowIsNotFound) {
    EXPECT_THROW((void)client_->handle("nobody-" + queue_).describe(), NotFoundError);
    EXPECT_THROW(client_->handle("nobody-" + queue_).signal("x"), NotFoundError);
}

TEST_F(WorkflowTest, WaitingForAResultEndsWithItsTimeout) {
    auto handle = client_->start<race>(on_queue());
    try {
        (void)handle.result({.timeout = 300ms});
        FAIL() << "no worker, yet a result";
    } catch (const RpcError& error) {
        EXPECT_EQ(error.code(), 4);
    }
    handle.terminate();
}

}  // namespace
}  // namespace stele::testing
