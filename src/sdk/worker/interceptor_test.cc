#include <gtest/gtest.h>

#include "sdk/runtime/single_thread_testing.h"
#include "sdk/worker/fake_server_testing.h"
#include "stele/stele.h"

// What travels beside the arguments, from a client to the last activity.
namespace stele {
namespace {

using namespace std::chrono_literals;

std::string seen_by_activity;

std::string look_around(std::string text) { return text + "/" + seen_by_activity; }

wf::task<std::string> looks_around() {
    const auto first = co_await wf::activity<look_around>("remote", {.start_to_close = 10s});
    const auto second = co_await wf::local_activity<look_around>("local", {.start_to_close = 10s});
    co_return first + " " + second;
}

/// Lets a trace id travel along, and notes what it sees.
class Tracer final : public Interceptor {
public:
    void client_calls(const InterceptedCall& call, Headers& headers) const override {
        log->push_back("client " + call.name);
        headers["trace"] = encode_value(std::string("t1"));
    }
    void workflow_calls(const InterceptedCall& call, Headers& headers) const override {
        log->push_back("calls " + call.name);
        headers = wf::info().headers;
    }
    void workflow_is_called(const InterceptedCall& call, const Headers& headers) const override {
        log->push_back("called " + call.name + " " +
                       decode_value<std::string>(headers.at("trace")));
    }
    std::optional<Payload> around_activity(
        const InterceptedCall& call, const Headers& headers,
        const std::function<std::optional<Payload>()>& next) const override {
        seen_by_activity = decode_value<std::string>(headers.at("trace"));
        log->push_back("enters " + call.name);
        auto result = next();
        log->push_back("leaves " + call.name);
        return result;
    }

    std::shared_ptr<std::vector<std::string>> log = std::make_shared<std::vector<std::string>>();
};

TEST(InterceptorTest, HeadersTravelFromTheClientThroughTheWorkflowIntoItsActivities) {
    auto runtime = std::make_shared<testing::SingleThreadRuntime>();
    const testing::EndOfTest end_of_test(runtime);
    auto server = std::make_shared<testing::FakeServer>(runtime);
    auto tracer = std::make_shared<Tracer>();
    auto client =
        Client::connect({.interceptors = {tracer}, .runtime = runtime, .transport = server});
    Worker worker(client, "queue");
    worker.register_workflow<looks_around>().register_activity<look_around>();
    worker.start();
    EXPECT_EQ(client.execute<looks_around>({.id = "workflow", .task_queue = "queue"}),
              "remote/t1 local/t1");
    worker.stop();
    EXPECT_EQ(*tracer->log, (std::vector<std::string>{
                                "client looks_around", "called looks_around t1",
                                "calls look_around", "enters look_around", "leaves look_around",
                                "calls look_around", "enters look_around", "leaves look_around"}));
}

}  // namespace
}  // namespace stele
