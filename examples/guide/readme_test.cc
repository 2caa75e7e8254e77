#include <gtest/gtest.h>
#include <stele/stele.h>
#include <stele/testing.h>

namespace {

namespace wf = stele::wf;
using namespace std::chrono_literals;

// >>> first
std::string compose(std::string name) { return "Hello, " + name; }  // an activity: may fail

wf::task<std::string> greet(std::string name) {  // a workflow: survives everything
    co_await wf::sleep(24h);
    co_return co_await wf::activity<compose>(name, {.start_to_close = 10s});
}
// <<<

TEST(ReadmeTest, FirstWorkflowRuns) {
    stele::testing::Environment environment;
    stele::Worker worker(environment.client(), "greetings");
    worker.register_workflow<greet>().register_activity<compose>();
    worker.start();
    EXPECT_EQ(environment.client().execute<greet>({.task_queue = "greetings"}, "world"),
              "Hello, world");
}

}  // namespace
