#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"

// Workflow code that keeps its thread. The one test here that needs threads and a clock: the code
// under test is about nothing else.
namespace stele {
namespace {

using namespace std::chrono_literals;

std::atomic<bool> stuck{true};

wf::task<int> keeps_its_thread() {
    while (stuck.load()) std::this_thread::yield();
    co_return 7;
}

TEST(DeadlockTest, StuckCodeFailsItsTaskAndTheRunIsTriedAgain) {
    auto runtime = make_thread_runtime({.threads = 4});
    auto server = std::make_shared<testing::FakeServer>(runtime);
    auto client =
        Client::connect({.logger =
                             [](const LogRecord& record) {
                                 if (record.message.find("TMPRL1101") != std::string::npos)
                                     stuck.store(false);
                             },
                         .runtime = runtime,
                         .transport = server});
    Worker worker(client, "queue", {.deadlock_timeout = 50ms});
    worker.register_workflow<keeps_its_thread>();
    worker.start();
    EXPECT_EQ(client.execute<keeps_its_thread>({.id = "workflow", .task_queue = "queue"}), 7);
    worker.stop();
    ASSERT_EQ(server->failed_tasks.size(), 1u);
    EXPECT_NE(server->failed_tasks[0].find("TMPRL1101"), std::string::npos);
}

}  // namespace
}  // namespace stele
