#include "sdk/client/rpc.h"

#include <gtest/gtest.h>

#include <optional>

#include "google/rpc/status.pb.h"
#include "sdk/client/client_core.h"
#include "sdk/runtime/single_thread_testing.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace stele::sdk {
namespace {

namespace api = temporal::api::workflowservice::v1;

/// Answers with the statuses it was given, then with success; notes when it was called.
class ScriptedTransport final : public Transport {
public:
    ScriptedTransport(std::shared_ptr<Runtime> runtime, std::vector<Status> script)
        : runtime_(std::move(runtime)), script_(script.begin(), script.end()) {}

    std::shared_ptr<Call> call(std::string_view method,
                               std::shared_ptr<const google::protobuf::Message> request,
                               std::shared_ptr<google::protobuf::Message>, const CallOptions&,
                               Callback done) override {
        times.push_back(runtime_->now());
        methods.emplace_back(method);
        requests.push_back(request->SerializeAsString());
        Status status;
        if (!script_.empty()) {
            status = script_.front();
            script_.pop_front();
        }
        done(status);
        return nullptr;
    }

    std::vector<Runtime::Time> times;
    std::vector<std::string> methods;
    std::vector<std::string> requests;

private:
    std::shared_ptr<Runtime> runtime_;
    std::deque<Status> script_;
};

class RpcTest : public ::testing::Test {
protected:
    Client client(std::vector<Transport::Status> script) {
        transport_ = std::make_shared<ScriptedTransport>(runtime_, std::move(script));
        return Client::connect({.lazy = true, .runtime = runtime_, .transport = transport_});
    }

    std::shared_ptr<testing::SingleThreadRuntime> runtime_ =
        std::make_shared<testing::SingleThreadRuntime>();
    testing::EndOfTest end_of_test_{runtime_};
    std::shared_ptr<ScriptedTransport> transport_;
};

std::vector<Transport::Status> repeated(int count, int code) {
    return std::vector<Transport::Status>(static_cast<std::size_t>(count), {code, "scripted", {}});
}

TEST_F(RpcTest, TransientErrorsAreRetriedWithGrowingDelays) {
    client(repeated(4, 14)).handle("w").signal("s");
    ASSERT_EQ(transport_->times.size(), 5u);
    EXPECT_EQ(transport_->methods[0],
              "/temporal.api.workflowservice.v1.WorkflowService/SignalWorkflowExecution");
    double expected = 100;
    for (std::size_t i = 1; i < 5; ++i, expected *= 1.7) {
        const double delay =
            static_cast<double>(std::chrono::duration_cast<Milliseconds>(transport_->times[i] -
                                                                         transport_->times[i - 1])
                                    .count());
        EXPECT_GE(delay, expected * 0.79);
        EXPECT_LE(delay, expected * 1.21);
    }
}

TEST_F(RpcTest, RetriesCarryTheSameRequestId) {
    client(repeated(2, 14)).handle("w").signal("s");
    ASSERT_EQ(transport_->requests.size(), 3u);
    api::SignalWorkflowExecutionRequest first;
    ASSERT_TRUE(first.ParseFromString(transport_->requests[0]));
    EXPECT_EQ(first.request_id().size(), 36u);
    EXPECT_EQ(transport_->requests[0], transport_->requests[2]);
}

TEST_F(RpcTest, ErrorsOfTheCallerAreNotRetried) {
    for (const int code : {3, 5, 6, 7, 9, 12, 16}) {
        Client failing = client(repeated(1, code));
        EXPECT_THROW(failing.handle("w").signal("s"), RpcError) << code;
        EXPECT_EQ(transport_->times.size(), 1u) << code;
    }
}

TEST_F(RpcTest, RetriesEndAfterTenSeconds) {
    Client failing = client(repeated(1'000, 14));
    EXPECT_THROW(failing.handle("w").signal("s"), RpcError);
    EXPECT_LE(transport_->times.back() - transport_->times.front(), std::chrono::seconds(10));
    EXPECT_GE(transport_->times.size(), 5u);
}

TEST_F(RpcTest, ConnectionThatFailsSaysWhereAndHow) {
    for (const bool tls : {false, true}) {
        transport_ = std::make_shared<ScriptedTransport>(runtime_, repeated(1'000, 14));
        try {
            (void)Client::connect({.address = "server.example:7233",
                                   .use_tls = tls,
                                   .runtime = runtime_,
                                   .transport = transport_});
            FAIL() << "connected";
        } catch (const RpcError& error) {
            EXPECT_EQ(error.code(), 14);
            EXPECT_EQ(std::string(error.what()),
                      std::string("cannot connect to server.example:7233 ") +
                          (tls ? "with" : "without") + " TLS: scripted");
        }
    }
}

TEST_F(RpcTest, ExhaustedServerIsGivenMoreTime) {
    client(repeated(1, 8)).handle("w").signal("s");
    EXPECT_GE(transport_->times[1] - transport_->times[0], Milliseconds(800));
}

TEST_F(RpcTest, DetailsOfAnErrorChooseTheException) {
    temporal::api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure detail;
    detail.set_run_id("other-run");
    google::rpc::Status status;
    status.set_code(6);
    status.add_details()->PackFrom(detail);
    Client failing = client({{6, "already started", status.SerializeAsString()}});
    try {
        (void)failing.start("T", {.id = "w", .task_queue = "q"});
        FAIL() << "started";
    } catch (const WorkflowAlreadyStartedError& error) {
        EXPECT_EQ(error.run_id(), "other-run");
        EXPECT_EQ(error.workflow_id(), "w");
    }
}

}  // namespace
}  // namespace stele::sdk
