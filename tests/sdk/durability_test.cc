#include <google/protobuf/util/json_util.h>

#include <thread>

#include "tests/sdk/server_fixture.h"

// What must hold when workers come and go, histories are long and payloads are large.
namespace stele::testing {
namespace {

using namespace std::chrono_literals;
namespace enums = temporal::api::enums::v1;

class DurabilityTest : public ServerFixture {};

int increment(int value) { return value + 1; }

wf::task<int> counts_up(int steps) {
    int value = 0;
    wf::on_query("value", [&value] { return value; });
    for (int i = 0; i < steps; ++i)
        value = co_await wf::activity<increment>(value, {.start_to_close = 30s});
    co_return value;
}

wf::task<int> waits_between(int steps) {
    wf::signals<int> go("go");
    int value = 0;
    for (int i = 0; i < steps; ++i) {
        value += co_await go.next();
        value = co_await wf::activity<increment>(value, {.start_to_close = 30s});
    }
    co_return value;
}

void register_all(Worker& worker) {
    worker.register_workflow<counts_up>()
        .register_workflow<waits_between>()
        .register_activity<increment>();
}

TEST_F(DurabilityTest, AnotherWorkerTakesOverWhereTheFirstStopped) {
    auto handle = client_->start<waits_between>(on_queue(), 3);
    for (int i = 0; i < 3; ++i) {
        Worker worker = make_worker();
        register_all(worker);
        worker.start();
        handle.signal("go", 10);
        while (count_events(handle, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED) <= i)
            std::this_thread::sleep_for(20ms);
        worker.stop();
    }
    Worker last = make_worker();
    register_all(last);
    last.start();
    EXPECT_EQ(handle.result(), 33);
}

TEST_F(DurabilityTest, HistoryOfTwoThousandEventsIsReadFromAColdCache) {
    constexpr int kSteps = 335;  // Six events each.
    auto handle = [&] {
        Worker worker = make_worker();
        register_all(worker);
        worker.start();
        auto started = client_->start<counts_up>(on_queue(), kSteps);
        EXPECT_EQ(started.result(), kSteps);
        return started;
    }();
    EXPECT_GE(handle.describe().history_length, 2'000);
    Worker another = make_worker();
    register_all(another);
    another.start();
    EXPECT_EQ(handle.query<int>("value"), kSteps);
}

std::string echo(std::string text) { return text; }

wf::task<std::size_t> echoes(std::string text) {
    const auto result = co_await wf::activity<echo>(text, {.start_to_close = 30s});
    co_return result.size();
}

TEST_F(DurabilityTest, PayloadOfAMebibytePasses) {
    Worker worker = make_worker();
    worker.register_workflow<echoes>().register_activity<echo>();
    worker.start();
    const std::string large(1'048'576, 'x');
    EXPECT_EQ(client_->execute<echoes>(on_queue(), large), large.size());
}

wf::task<int> counts_down(int steps) {
    int value = 0;
    for (int i = 0; i < steps; ++i) {
        co_await wf::sleep(1ms);
        value = co_await wf::activity<increment>(value, {.start_to_close = 30s});
    }
    co_return value;
}

TEST_F(DurabilityTest, RecordedHistoryReplaysAndAChangedWorkflowIsRefused) {
    Worker worker = make_worker();
    register_all(worker);
    worker.start();
    auto handle = client_->start<counts_up>(on_queue(), 3);
    EXPECT_EQ(handle.result(), 3);
    const auto history = history_of(handle);
    std::string json;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(history, &json).ok());

    Replayer unchanged;
    unchanged.register_workflow<counts_up>();
    EXPECT_EQ(unchanged.replay_json(json).error, "");
    EXPECT_TRUE(unchanged.replay_binary(history.SerializeAsString()).ok);

    Replayer changed;
    changed.register_workflow<counts_down>("counts_up");
    const auto refused = changed.replay_json(json);
    EXPECT_FALSE(refused.ok);
    EXPECT_NE(refused.error.find("event 5 (ActivityTaskScheduled)"), std::string::npos)
        << refused.error;
    EXPECT_NE(refused.error.find("timer 1"), std::string::npos) << refused.error;

    Replayer ignorant;
    EXPECT_NE(ignorant.replay_json(json).error.find("not registered"), std::string::npos);
    EXPECT_FALSE(ignorant.replay_json("{").ok);
}

TEST_F(DurabilityTest, ManyWorkflowsShareOneWorker) {
    Worker worker = make_worker({.cached_runs_max = 20});
    register_all(worker);
    worker.start();
    std::vector<WorkflowHandle<int>> handles;
    for (int i = 0; i < 100; ++i) handles.push_back(client_->start<counts_up>(on_queue(), 3));
    for (auto& handle : handles) EXPECT_EQ(handle.result(), 3);
}

}  // namespace
}  // namespace stele::testing
