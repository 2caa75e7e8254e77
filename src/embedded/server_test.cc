#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "sdk/client/client_core.h"
#include "stele/embedded.h"
#include "stele/stele.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

// A server in this process, on a directory, with the same clients and workers as any other.
namespace stele::embedded {
namespace {

using namespace std::chrono_literals;
namespace api = temporal::api::workflowservice::v1;
namespace enums = temporal::api::enums::v1;

/// In real time.
void pause(Milliseconds duration) { (void)default_runtime()->make_event()->wait_for(duration); }

int triple(int value) { return 3 * value; }

wf::task<int> in_two_steps(int value) {
    wf::signals<int> more("more");
    wf::on_query("value", [&value] { return value; });
    value = co_await wf::activity<triple>(value, {.start_to_close = 10s});
    value += co_await more.next();
    co_await wf::sleep(200ms);
    value = co_await wf::activity<triple>(value, {.start_to_close = 10s});
    co_return value;
}

class EmbeddedServerTest : public ::testing::Test {
protected:
    EmbeddedServerTest()
        : directory_(::testing::TempDir() + "stele_embedded_" +
                     ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
        std::filesystem::remove_all(directory_);
    }
    ~EmbeddedServerTest() override { std::filesystem::remove_all(directory_); }

    static Worker start_worker(const Client& client) {
        Worker worker(client, "queue");
        worker.register_workflow<in_two_steps>().register_activity<triple>();
        worker.start();
        return worker;
    }

    std::string directory_;
};

TEST_F(EmbeddedServerTest, WorkflowEndsOnAnotherServerOnTheSameDirectory) {
    std::string run_id;
    {
        const Server server({.directory = directory_});
        Client client = server.connect();
        Worker worker = start_worker(client);
        auto handle = client.start<in_two_steps>({.id = "w", .task_queue = "queue"}, 1);
        while (handle.query<int>("value") != 3) pause(5ms);
        run_id = handle.run_id();
        worker.stop();
    }
    {
        // Nobody works on it, but it keeps what it is told.
        const Server server({.directory = directory_});
        server.connect().handle<in_two_steps>("w").signal("more", 4);
    }
    const Server server({.directory = directory_});
    Client client = server.connect();
    Worker worker = start_worker(client);
    auto handle = client.handle<in_two_steps>("w");
    EXPECT_EQ(handle.result(), 21);
    EXPECT_EQ(handle.describe().run_id, run_id);
    worker.stop();
}

TEST_F(EmbeddedServerTest, MemoryIsEnoughWithoutADirectory) {
    const Server server;
    Client client = server.connect();
    Worker worker = start_worker(client);
    auto handle = client.start<in_two_steps>({.task_queue = "queue"}, 2);
    handle.signal("more", 1);
    EXPECT_EQ(handle.result(), 21);
    worker.stop();
}

TEST_F(EmbeddedServerTest, DirectoryBelongsToOneServer) {
    const Server server({.directory = directory_});
    try {
        const Server other({.directory = directory_});
        FAIL() << "two servers have the same directory open";
    } catch (const ConfigurationError& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr(directory_));
    }
}

TEST_F(EmbeddedServerTest, SettingsAreThoseOfAServer) {
    const Server server({.settings = {"limit.blobSize.error=100"}});
    Client client = server.connect();
    auto handle = client.start<in_two_steps>({.task_queue = "queue"}, 2);
    EXPECT_THROW(handle.signal("more", std::string(200, 'x')), RpcError);
    for (const char* wrong : {"limit.blobSize.error", "limit.blobSize.error=much", "no.such=1"}) {
        try {
            const Server refused({.settings = {wrong}});
            FAIL() << wrong << " was taken";
        } catch (const ConfigurationError& error) {
            const std::string key = std::string(wrong).substr(0, std::string(wrong).find('='));
            EXPECT_THAT(error.what(), ::testing::HasSubstr(key));
        }
    }
}

TEST_F(EmbeddedServerTest, ClientsOutliveTheServerAndHearThatItIsDown) {
    std::optional<Server> server(std::in_place);
    Client client = server->connect();
    const auto transport = server->transport();
    auto handle = client.start<in_two_steps>({.task_queue = "queue"}, 2);
    std::thread waiting([&] { EXPECT_THROW((void)handle.result({.timeout = 1s}), RpcError); });
    pause(50ms);
    server->stop();
    server->stop();
    server.reset();
    waiting.join();
    Transport::Status status;
    transport->call("/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo",
                    std::make_shared<api::GetSystemInfoRequest>(),
                    std::make_shared<api::GetSystemInfoResponse>(), {},
                    [&status](const Transport::Status& result) { status = result; });
    EXPECT_EQ(status.code, 14);
    EXPECT_EQ(status.message, "the server has stopped");
}

TEST_F(EmbeddedServerTest, CallsEndAtTheirDeadlinesWhicheverCameFirst) {
    const Server server;
    const auto transport = server.transport();
    auto handle = server.connect().start<in_two_steps>({.id = "w", .task_queue = "nobody"}, 2);
    std::mutex mutex;
    std::vector<std::pair<Milliseconds, int>> ended;  // timeout and code
    const auto all_ended = default_runtime()->make_event();
    const auto wait_for_close = [&](Milliseconds timeout) {
        auto request = std::make_shared<api::GetWorkflowExecutionHistoryRequest>();
        request->set_namespace_("default");
        request->mutable_execution()->set_workflow_id("w");
        request->set_wait_new_event(true);
        request->set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
        transport->call(
            "/temporal.api.workflowservice.v1.WorkflowService/GetWorkflowExecutionHistory", request,
            std::make_shared<api::GetWorkflowExecutionHistoryResponse>(), {.timeout = timeout},
            [&, timeout](const Transport::Status& status) {
                const std::lock_guard lock(mutex);
                ended.emplace_back(timeout, status.code);
                if (ended.size() == 4) all_ended->set();
            });
    };
    for (const Milliseconds timeout : {600ms, 60'000ms, 200ms, 400ms}) wait_for_close(timeout);
    pause(1000ms);
    handle.terminate("enough");
    all_ended->wait();
    EXPECT_THAT(ended,
                ::testing::ElementsAre(::testing::Pair(200ms, 4), ::testing::Pair(400ms, 4),
                                       ::testing::Pair(600ms, 4), ::testing::Pair(60'000ms, 0)));
}

TEST_F(EmbeddedServerTest, ErrorsAreThoseOfAnyServer) {
    const Server server({.namespaces = {"shop"}});
    Client client = server.connect({.namespace_name = "shop"});
    (void)client.start<in_two_steps>({.id = "w", .task_queue = "queue"}, 2);
    EXPECT_THROW((void)client.start<in_two_steps>(
                     {.id = "w", .task_queue = "queue", .id_conflict = IdConflictPolicy::kFail}, 2),
                 WorkflowAlreadyStartedError);
    EXPECT_THROW(client.handle<in_two_steps>("unknown").signal("more", 1), NotFoundError);
    EXPECT_THROW((void)server.connect({.namespace_name = "missing"})
                     .start<in_two_steps>({.task_queue = "queue"}, 2),
                 RpcError);
}

TEST_F(EmbeddedServerTest, WorkersAreListedWhileTheyRun) {
    const Server server;
    Client client = server.connect();
    const auto list = [&client] {
        api::ListWorkersRequest request;
        request.set_namespace_("default");
        return client.core()->call<api::ListWorkersResponse>("ListWorkers", request);
    };
    Worker worker = start_worker(client);
    api::ListWorkersResponse running = list();
    while (running.workers().empty()) {
        pause(5ms);
        running = list();
    }
    ASSERT_EQ(running.workers_size(), 1);
    EXPECT_EQ(running.workers(0).task_queue(), "queue");
    EXPECT_EQ(running.workers(0).sdk_name(), "stele-cpp");
    EXPECT_EQ(running.workers(0).status(), enums::WORKER_STATUS_RUNNING);
    const auto& heartbeat = running.workers_info(0).worker_heartbeat();
    EXPECT_EQ(heartbeat.activity_task_slots_info().current_available_slots(), 100);
    EXPECT_EQ(heartbeat.workflow_poller_info().current_pollers(), 2);
    worker.stop();
    const api::ListWorkersResponse afterwards = list();
    for (const auto& stopped : afterwards.workers())
        EXPECT_NE(stopped.status(), enums::WORKER_STATUS_RUNNING);
}

TEST_F(EmbeddedServerTest, LatenciesComeFromTheServersTimes) {
    const Server server;
    const auto meter = std::make_shared<PrometheusMeter>();
    Client client = server.connect({.meter = meter});
    Worker worker = start_worker(client);
    auto handle = client.start<in_two_steps>({.task_queue = "queue"}, 2);
    handle.signal("more", 1);
    EXPECT_EQ(handle.result(), 21);
    worker.stop();
    const MetricLabels workflow = {{"workflow_type", "in_two_steps"}};
    const MetricLabels activity = {{"activity_type", "triple"}};
    EXPECT_GE(meter->value("temporal_workflow_task_schedule_to_start_latency", workflow), 3);
    EXPECT_EQ(meter->value("temporal_activity_schedule_to_start_latency", activity), 2);
    EXPECT_EQ(meter->value("temporal_activity_succeed_endtoend_latency", activity), 2);
    EXPECT_EQ(meter->value("temporal_workflow_endtoend_latency", workflow), 1);
    EXPECT_EQ(meter->value("temporal_request", {{"operation", "StartWorkflowExecution"}}), 1);
}

TEST_F(EmbeddedServerTest, ManyThreadsShareIt) {
    for (const int own : {1, 3}) {
        const Server server({.threads = own});
        Client client = server.connect();
        Worker worker = start_worker(client);
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&client, i] {
                auto handle = client.start<in_two_steps>({.task_queue = "queue"}, i);
                handle.signal("more", 1);
                EXPECT_EQ(handle.result(), 9 * i + 3);
            });
        for (auto& thread : threads) thread.join();
        worker.stop();
    }
}

TEST_F(EmbeddedServerTest, RunsGoOnWhenItHasOtherThreadsThanBefore) {
    constexpr int kRuns = 16;
    for (const int threads : {4, 1, 3}) {
        const Server server({.directory = directory_, .threads = threads});
        Client client = server.connect();
        Worker worker = start_worker(client);
        for (int i = 0; i < kRuns; ++i) {
            const std::string id = "w" + std::to_string(i);
            if (threads == 4)
                (void)client.start<in_two_steps>({.id = id, .task_queue = "queue"}, i);
            else if (threads == 1)
                client.handle<in_two_steps>(id).signal("more", 1);
            else
                EXPECT_EQ(client.handle<in_two_steps>(id).result(), 9 * i + 3);
        }
        worker.stop();
    }
    for (const int wrong : {-1, 0, 65}) {
        try {
            const Server refused({.threads = wrong});
            FAIL() << wrong << " threads were taken";
        } catch (const ConfigurationError& error) {
            EXPECT_THAT(error.what(), ::testing::HasSubstr(std::to_string(wrong)));
        }
    }
}

}  // namespace
}  // namespace stele::embedded
