#include <atomic>
#include <future>

#include "tests/sdk/server_fixture.h"

// Local activities, activities that are ended from elsewhere, and what has no name.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
namespace enums = temporal::api::enums::v1;

class LocalActivityTest : public ServerFixture {};

std::atomic<int> calls{0};

int twice(int value) {
    ++calls;
    return 2 * value;
}

int slow_twice(int value) {
    (void)activity::sleep_for(5s);
    return 2 * value;
}

int fails_twice(int value) {
    if (activity::info().attempt < 3) throw std::runtime_error("not yet");
    return value;
}

wf::task<int> many_locals(int rounds) {
    int value = 1;
    for (int i = 0; i < rounds; ++i) {
        value = co_await wf::local_activity<twice>(value, {.start_to_close = 10s});
        if (i % 3 == 2) co_await wf::sleep(10ms);
    }
    co_return value;
}

TEST_F(LocalActivityTest, ResultsAreMarkersAndNothingElse) {
    Worker worker = make_worker();
    worker.register_workflow<many_locals>().register_activity<twice>();
    worker.start();
    auto handle = client_->start<many_locals>(on_queue(), 9);
    EXPECT_EQ(handle.result(), 512);
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_MARKER_RECORDED), 9);
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED), 0);
    Replayer replayer;
    replayer.register_workflow<many_locals>();
    EXPECT_EQ(replayer.replay(history_of(handle), handle.workflow_id()).error, "");
}

TEST_F(LocalActivityTest, WithoutACacheNothingRunsTwice) {
    Worker worker = make_worker({.cached_runs_max = 0});
    worker.register_workflow<many_locals>().register_activity<twice>();
    worker.start();
    calls = 0;
    EXPECT_EQ(client_->execute<many_locals>(on_queue(), 9), 512);
    EXPECT_EQ(calls, 9);
}

wf::task<int> one_slow_local(int value) {
    co_return co_await wf::local_activity<slow_twice>(value, {.start_to_close = 60s});
}

TEST_F(LocalActivityTest, HeartbeatsKeepTheTaskOfASlowOne) {
    Worker worker = make_worker();
    worker.register_workflow<one_slow_local>().register_activity<slow_twice>();
    worker.start();
    StartOptions options = on_queue();
    options.task_timeout = 2s;
    auto handle = client_->start<one_slow_local>(options, 4);
    EXPECT_EQ(handle.result(), 8);
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT), 0);
    EXPECT_GE(count_events(handle, enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED), 3);
}

wf::task<int> retried_local(int value) {
    co_return co_await wf::local_activity<fails_twice>(
        value, {.start_to_close = 10s, .retry = RetryPolicy{.initial_interval = 10ms}});
}

TEST_F(LocalActivityTest, FailuresAreRetriedInTheWorker) {
    Worker worker = make_worker();
    worker.register_workflow<retried_local>().register_activity<fails_twice>();
    worker.start();
    auto handle = client_->start<retried_local>(on_queue(), 4);
    EXPECT_EQ(handle.result(), 4);
    EXPECT_EQ(count_events(handle, enums::EVENT_TYPE_MARKER_RECORDED), 1);
}

std::promise<std::string>* token_promise = nullptr;

std::string asks_somebody(std::string) {
    token_promise->set_value(activity::info().task_token);
    activity::complete_elsewhere();
}

wf::task<std::string> waits_for_somebody(std::string question) {
    co_return co_await wf::activity<asks_somebody>(
        question, {.start_to_close = 30s, .retry = RetryPolicy{.maximum_attempts = 1}});
}

class AsyncActivityTest : public ServerFixture {
protected:
    void SetUp() override {
        ServerFixture::SetUp();
        if (IsSkipped()) return;
        token_promise = &token_;
        worker_.emplace(make_worker());
        worker_->register_workflow<waits_for_somebody>().register_activity<asks_somebody>();
        worker_->start();
    }
    std::promise<std::string> token_;
    std::optional<Worker> worker_;
};

TEST_F(AsyncActivityTest, IsCompletedByItsToken) {
    auto handle = client_->start<waits_for_somebody>(on_queue(), "why?");
    const std::string token = token_.get_future().get();
    auto activity = client_->activity_handle(token);
    activity.heartbeat(1);
    activity.complete(std::string("because"));
    EXPECT_EQ(handle.result(), "because");
    EXPECT_THROW(activity.complete(std::string("again")), NotFoundError);
}

TEST_F(AsyncActivityTest, IsFailedByItsIds) {
    auto handle = client_->start<waits_for_somebody>(on_queue(), "why?");
    (void)token_.get_future().get();
    client_->activity_handle(handle.workflow_id(), handle.run_id(), "1")
        .fail(ApplicationError("nobody knows", {.type = "Unknown"}));
    const auto failed = failure_cause<ActivityError>(handle);
    ASSERT_TRUE(failed);
    EXPECT_EQ(static_cast<const ApplicationError&>(*failed->cause()).type(), "Unknown");
}

TEST_F(AsyncActivityTest, HearsOfItsCancellationAndConfirmsIt) {
    auto handle = client_->start<waits_for_somebody>(on_queue(), "why?");
    auto activity = client_->activity_handle(token_.get_future().get());
    handle.cancel();
    EXPECT_TRUE(failure_cause<CanceledError>(handle));
    EXPECT_THROW(
        {
            activity.heartbeat();
            activity.report_cancellation();
        },
        Error);
}

wf::task<std::string> any_workflow(Payloads arguments) {
    co_return co_await wf::activity_by_name<std::string>(
        "Whatever", {.start_to_close = 10s},
        wf::info().workflow_type + decode_argument<std::string>(arguments, 0));
}

std::string any_activity(Payloads arguments) {
    return activity::info().activity_type + decode_argument<std::string>(arguments, 0);
}

TEST_F(LocalActivityTest, DynamicWorkflowsAndActivitiesTakeEveryName) {
    Worker worker = make_worker();
    worker.register_dynamic_workflow<any_workflow>().register_dynamic_activity<any_activity>();
    worker.start();
    EXPECT_EQ(client_->start<std::string>("Unheard", on_queue(), "Of").result(),
              "WhateverUnheardOf");
}

wf::task<> waits_for_ever() { co_await wf::sleep(24h); }

TEST_F(LocalActivityTest, StackTraceIsAQuery) {
    Worker worker = make_worker();
    worker.register_workflow<waits_for_ever>();
    worker.start();
    auto handle = client_->start<waits_for_ever>(on_queue());
    EXPECT_NE(handle.query<std::string>("__stack_trace").find("waits_for_ever"),
              std::string::npos);
    handle.terminate();
}

}  // namespace
}  // namespace stele::testing
