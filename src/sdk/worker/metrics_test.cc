#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"

// What a worker and its client measure, under the names of the official SDKs.
namespace stele {
namespace {

using namespace std::chrono_literals;

class MetricsTest : public ::testing::Test {
protected:
    template <auto Workflow, class... A>
    auto run(WorkerOptions options, const A&... arguments);

    double value(std::string_view name, const MetricLabels& labels = {}) const {
        return meter_->value("temporal_" + std::string(name), labels);
    }

    std::shared_ptr<PrometheusMeter> meter_ = std::make_shared<PrometheusMeter>();
    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<testing::FakeServer> server_ = std::make_shared<testing::FakeServer>(runtime_);
    std::optional<Client> client_;
};

std::string measured(std::string text) { return "<" + text + ">"; }

int failures_left = 0;
std::string unsteady(std::string text) {
    if (failures_left-- > 0) throw std::runtime_error("not yet");
    return text;
}

wf::task<std::string> measures(std::string text, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        co_await wf::sleep(1h);
        text = co_await wf::activity<measured>(text, {.start_to_close = 10s});
    }
    co_return text;
}

wf::task<std::string> works_locally(std::string text) {
    co_return co_await wf::local_activity<unsteady>(text, {.start_to_close = 10s});
}

wf::task<std::string> gives_up(std::string text) {
    co_await wf::sleep(1h);
    throw ApplicationError(text);
}

template <auto Workflow, class... A>
auto MetricsTest::run(WorkerOptions options, const A&... arguments) {
    client_.emplace(Client::connect({.meter = meter_, .runtime = runtime_, .transport = server_}));
    Worker worker(*client_, "queue", options);
    worker.register_workflow<measures>()
        .register_workflow<works_locally>()
        .register_workflow<gives_up>()
        .register_activity<measured>()
        .register_activity<unsteady>();
    worker.start();
    auto handle = client_->start<Workflow>({.id = "workflow", .task_queue = "queue"}, arguments...);
    const auto result = handle.result();
    worker.stop();
    return result;
}

TEST_F(MetricsTest, TasksOfAWorkflowAreCountedByType) {
    EXPECT_EQ(run<measures>({}, "x", 3), "<<<x>>>");
    const MetricLabels type = {
        {"namespace", "default"}, {"task_queue", "queue"}, {"workflow_type", "measures"}};
    EXPECT_EQ(value("workflow_completed", type), 1);
    EXPECT_EQ(value("workflow_failed", type), 0);
    EXPECT_EQ(value("workflow_endtoend_latency", type), 1);
    EXPECT_EQ(value("workflow_task_execution_latency", type), 7);
    EXPECT_EQ(value("workflow_task_replay_latency", type), 0);
    EXPECT_EQ(value("workflow_task_queue_poll_succeed"), 7);
    EXPECT_EQ(value("worker_start", {{"task_queue", "queue"}}), 1);
}

TEST_F(MetricsTest, EndToEndLatencyIsTheWorkflowsOwnTime) {
    EXPECT_EQ(run<measures>({}, "x", 3), "<<<x>>>");
    const std::string text = meter_->text();
    const std::string name = "temporal_workflow_endtoend_latency_sum";
    const auto line = text.substr(text.find(name));
    EXPECT_NEAR(std::stod(line.substr(line.find("} ") + 2)), 3 * 3'600, 1);
}

TEST_F(MetricsTest, ActivitiesAreCountedByType) {
    EXPECT_EQ(run<measures>({.eager_activities = false}, "x", 2), "<<x>>");
    const MetricLabels type = {{"task_queue", "queue"}, {"activity_type", "measured"}};
    EXPECT_EQ(value("activity_execution_latency", type), 2);
    EXPECT_EQ(value("activity_succeed_endtoend_latency", type), 2);
    EXPECT_EQ(value("activity_execution_failed", type), 0);
    EXPECT_EQ(value("activity_task_received"), 2);
}

TEST_F(MetricsTest, AttemptsOfLocalActivitiesAreCounted) {
    failures_left = 2;
    EXPECT_EQ(run<works_locally>({}, "x"), "x");
    const MetricLabels type = {{"activity_type", "unsteady"}};
    EXPECT_EQ(value("local_activity_total", type), 3);
    EXPECT_EQ(value("local_activity_execution_failed", type), 2);
    EXPECT_EQ(value("local_activity_execution_latency", type), 1);
    EXPECT_EQ(value("local_activity_succeed_endtoend_latency", type), 1);
}

TEST_F(MetricsTest, FailedWorkflowIsAFailureAndNoFailedTask) {
    EXPECT_THROW((void)run<gives_up>({}, "no"), WorkflowFailedError);
    EXPECT_EQ(value("workflow_failed"), 1);
    EXPECT_EQ(value("workflow_completed"), 0);
    EXPECT_EQ(value("workflow_task_execution_failed"), 0);
}

TEST_F(MetricsTest, CacheTellsOfHitsAndMisses) {
    EXPECT_EQ(run<measures>({}, "x", 3), "<<<x>>>");
    EXPECT_EQ(value("sticky_cache_hit"), 6);
    EXPECT_EQ(value("sticky_cache_miss"), 0);
    EXPECT_EQ(value("sticky_cache_total_forced_eviction"), 0);
    EXPECT_EQ(value("sticky_cache_size"), 0);
}

TEST_F(MetricsTest, RunsThatWeighTooMuchAreReplayed) {
    EXPECT_EQ(run<measures>({.cached_bytes_max = 1}, "x", 3), "<<<x>>>");
    EXPECT_EQ(value("sticky_cache_hit"), 0);
    EXPECT_EQ(value("sticky_cache_miss"), 6);
    EXPECT_EQ(value("sticky_cache_total_forced_eviction"), 6);
    EXPECT_EQ(value("workflow_task_replay_latency", {{"workflow_type", "measures"}}), 6);
}

TEST_F(MetricsTest, SlotsAndPollersAreFreeAgainInTheEnd) {
    EXPECT_EQ(run<measures>({.concurrent_activities_max = 7}, "x", 1), "<x>");
    EXPECT_EQ(value("worker_task_slots_available", {{"worker_type", "WorkflowWorker"}}), 100);
    EXPECT_EQ(value("worker_task_slots_available", {{"worker_type", "ActivityWorker"}}), 7);
    EXPECT_EQ(value("worker_task_slots_used"), 0);
    EXPECT_EQ(value("num_pollers"), 0);
    const std::string text = meter_->text();
    for (const char* type : {"workflow_task", "sticky_workflow_task", "activity_task"})
        EXPECT_NE(text.find("poller_type=\"" + std::string(type) + "\""), std::string::npos)
            << type;
}

TEST_F(MetricsTest, RequestsAreCountedByOperationAndFailuresByCode) {
    server_->refuse_every = 4;
    EXPECT_EQ(run<measures>({}, "x", 2), "<<x>>");
    const MetricLabels start = {{"namespace", "default"}, {"operation", "StartWorkflowExecution"}};
    EXPECT_GE(value("request", start), 1);
    EXPECT_EQ(value("request", start), value("request_latency", start));
    EXPECT_GT(value("request_failure", {{"status_code", "UNAVAILABLE"}}) +
                  value("long_request_failure", {{"status_code", "UNAVAILABLE"}}),
              0);
    EXPECT_GE(value("long_request", {{"operation", "PollWorkflowTaskQueue"}}), 5);
    EXPECT_EQ(value("request", {{"operation", "PollWorkflowTaskQueue"}}), 0);
}

TEST_F(MetricsTest, WithoutAMeterNothingIsMeasured) {
    meter_.reset();
    EXPECT_EQ(run<measures>({}, "x", 1), "<x>");
}

}  // namespace
}  // namespace stele
