#include "server/grpc/transport.h"

#include "grpc/health/v1/health.pb.h"
#include "server/node.h"
#include "store/memory/memory_store.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

namespace stele::server {
namespace {

namespace service = temporal::api::workflowservice::v1;
using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr char kService[] = "/temporal.api.workflowservice.v1.WorkflowService/";

/// A node behind the transport, and gRPC's own client in front of it.
class TransportTest : public testing::Test {
protected:
    void SetUp() override {
        auto node = Node::start(*env_, *store_, {});
        ASSERT_TRUE(node.ok());
        node_ = *std::move(node);
        start(GrpcOptions());
    }
    void TearDown() override {
        transport_.reset();
        node_.reset();
    }

    void start(ConnectionOptions connection) {
        GrpcOptions options;
        options.connection = connection;
        start(options);
    }
    void start(GrpcOptions options) {
        transport_.reset();
        options.address = "127.0.0.1:0";
        auto transport = GrpcTransport::start(*env_, node_->frontend(), options);
        ASSERT_TRUE(transport.ok());
        transport_ = *std::move(transport);
        transport_->set_serving(true);
        channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(transport_->port()),
                                       grpc::InsecureChannelCredentials());
    }

    template <typename Response, typename Request>
    std::future<grpc::Status> begin(const std::string& path, const Request& request,
                                    Response& response, grpc::ClientContext& context) {
        auto done = std::make_shared<std::promise<grpc::Status>>();
        auto kept = std::make_shared<Request>(request);
        grpc::TemplatedGenericStub<Request, Response>(channel_).UnaryCall(
            &context, path, grpc::StubOptions(), kept.get(), &response,
            [done, kept](grpc::Status status) { done->set_value(std::move(status)); });
        return done->get_future();
    }
    static void set_deadline(grpc::ClientContext& context) {
        context.set_deadline(std::chrono::system_clock::now() + 20s);
    }
    template <typename Response, typename Request>
    grpc::Status call(const std::string& path, const Request& request, Response& response) {
        grpc::ClientContext context;
        set_deadline(context);
        return begin(path, request, response, context).get();
    }

    service::PollWorkflowTaskQueueRequest poll() const {
        service::PollWorkflowTaskQueueRequest request;
        request.set_namespace_("default");
        request.mutable_task_queue()->set_name("queue");
        return request;
    }

    /// Sends bytes over a socket of its own and reads until the server closes it.
    std::string exchange(const std::string& bytes) const {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(transport_->port()));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
        std::string answer;
        char part[1024];
        for (ssize_t count; (count = recv(socket, part, sizeof part, 0)) > 0;) {
            answer.append(part, static_cast<std::size_t>(count));
        }
        close(socket);
        return answer;
    }

    std::unique_ptr<env::PosixEnv> env_ = env::make_posix_env(2);
    std::unique_ptr<store::Store> store_ = store::make_memory_store();
    std::unique_ptr<Node> node_;
    std::unique_ptr<GrpcTransport> transport_;
    std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(TransportTest, ACallIsAnswered) {
    service::GetSystemInfoResponse info;
    const grpc::Status status =
        call(std::string(kService) + "GetSystemInfo", service::GetSystemInfoRequest(), info);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_FALSE(info.server_version().empty());
}

TEST_F(TransportTest, AnErrorCarriesItsTemporalDetail) {
    service::DescribeNamespaceRequest request;
    request.set_namespace_("n\xc3\xb6 such");
    service::DescribeNamespaceResponse response;
    const grpc::Status status =
        call(std::string(kService) + "DescribeNamespace", request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_THAT(status.error_message(), HasSubstr("n\xc3\xb6 such"));
    EXPECT_THAT(status.error_details(), HasSubstr("NamespaceNotFoundFailure"));
}

TEST_F(TransportTest, UnknownMethodsAndServicesAreNamed) {
    service::GetSystemInfoResponse response;
    const service::GetSystemInfoRequest request;
    grpc::Status status = call(std::string(kService) + "Nonsense", request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), HasSubstr("unknown method Nonsense"));
    status = call("/some.Service/Method", request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(status.error_message(), "unknown service some.Service");
}

TEST_F(TransportTest, LargeMessagesPassAndLargerOnesAreRefused) {
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id("large");
    request.set_request_id("large");
    request.mutable_workflow_type()->set_name("type");
    request.mutable_task_queue()->set_name("queue");
    request.mutable_input()->add_payloads()->set_data(std::string(1'500'000, 'x'));
    service::StartWorkflowExecutionResponse response;
    grpc::Status status = call(std::string(kService) + "StartWorkflowExecution", request, response);
    EXPECT_TRUE(status.ok()) << status.error_message();

    service::PollWorkflowTaskQueueResponse task;
    status = call(std::string(kService) + "PollWorkflowTaskQueue", poll(), task);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_GT(task.ByteSizeLong(), 1'500'000U);

    request.mutable_input()->mutable_payloads(0)->set_data(std::string(5'000'000, 'x'));
    status = call(std::string(kService) + "StartWorkflowExecution", request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(), HasSubstr("received message larger than max"));
}

TEST_F(TransportTest, CompressedRequestsAreUnderstood) {
    service::DescribeNamespaceRequest request;
    request.set_namespace_("default");
    service::DescribeNamespaceResponse response;
    grpc::ClientContext context;
    context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    const auto status =
        begin(std::string(kService) + "DescribeNamespace", request, response, context).get();
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.namespace_info().name(), "default");
}

TEST_F(TransportTest, ManyCallsShareAConnection) {
    constexpr int kCalls = 500;
    std::vector<service::GetSystemInfoResponse> responses(kCalls);
    std::vector<grpc::ClientContext> contexts(kCalls);
    std::vector<std::future<grpc::Status>> calls;
    for (int i = 0; i < kCalls; ++i) {
        const auto place = static_cast<std::size_t>(i);
        calls.push_back(begin(std::string(kService) + "GetSystemInfo",
                              service::GetSystemInfoRequest(), responses[place], contexts[place]));
    }
    for (auto& done : calls) EXPECT_TRUE(done.get().ok());
}

TEST_F(TransportTest, ACancelledPollTakesNoTask) {
    service::PollWorkflowTaskQueueResponse cancelled;
    {
        grpc::ClientContext context;
        set_deadline(context);
        auto done =
            begin(std::string(kService) + "PollWorkflowTaskQueue", poll(), cancelled, context);
        EXPECT_EQ(done.wait_for(200ms), std::future_status::timeout);
        context.TryCancel();
        EXPECT_EQ(done.get().error_code(), grpc::StatusCode::CANCELLED);
    }
    service::StartWorkflowExecutionRequest start;
    start.set_namespace_("default");
    start.set_workflow_id("cancelled-poll");
    start.set_request_id("cancelled-poll");
    start.mutable_workflow_type()->set_name("type");
    start.mutable_task_queue()->set_name("queue");
    service::StartWorkflowExecutionResponse started;
    ASSERT_TRUE(call(std::string(kService) + "StartWorkflowExecution", start, started).ok());
    service::PollWorkflowTaskQueueResponse task;
    ASSERT_TRUE(call(std::string(kService) + "PollWorkflowTaskQueue", poll(), task).ok());
    EXPECT_EQ(task.workflow_execution().workflow_id(), "cancelled-poll");
}

TEST_F(TransportTest, HealthIsToldToWhoeverAsksAndWatches) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(frontend::kWorkflowService);
    grpc::health::v1::HealthCheckResponse response;
    ASSERT_TRUE(call("/grpc.health.v1.Health/Check", request, response).ok());
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
    transport_->set_serving(false);
    ASSERT_TRUE(call("/grpc.health.v1.Health/Check", request, response).ok());
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
    request.set_service("nobody");
    EXPECT_EQ(call("/grpc.health.v1.Health/Check", request, response).error_code(),
              grpc::StatusCode::NOT_FOUND);
}

TEST_F(TransportTest, ShutdownAnswersWhatIsUnderWay) {
    service::PollWorkflowTaskQueueResponse task;
    grpc::ClientContext context;
    set_deadline(context);
    auto done = begin(std::string(kService) + "PollWorkflowTaskQueue", poll(), task, context);
    EXPECT_EQ(done.wait_for(200ms), std::future_status::timeout);
    transport_->shutdown(50ms);
    const grpc::Status status = done.get();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(status.error_message(), "the server is shutting down");
}

TEST_F(TransportTest, AConnectionEndsWithItsAgeAndCallersDoNotNotice) {
    ConnectionOptions connection;
    connection.age_max = 100ms;
    start(connection);
    service::GetSystemInfoResponse info;
    const auto until = std::chrono::steady_clock::now() + 4s;
    int calls = 0;
    while (std::chrono::steady_clock::now() < until) {
        ASSERT_TRUE(
            call(std::string(kService) + "GetSystemInfo", service::GetSystemInfoRequest(), info)
                .ok());
        ++calls;
    }
    EXPECT_GT(calls, 10);
}

TEST_F(TransportTest, BytesThatAreNotHttp2EndTheirConnectionOnly) {
    exchange("GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    exchange(std::string(100'000, '\xff'));
    EXPECT_THAT(exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string(64, 'x')), HasSubstr(""));
    service::GetSystemInfoResponse info;
    EXPECT_TRUE(
        call(std::string(kService) + "GetSystemInfo", service::GetSystemInfoRequest(), info).ok());
}

TEST_F(TransportTest, PingsWithoutEndEndTheirConnection) {
    using namespace std::string_literals;
    std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"s;
    for (int i = 0; i < 10; ++i) bytes += "\0\0\x08\6\0\0\0\0\0whatever"s;
    EXPECT_THAT(exchange(bytes), HasSubstr("too_many_pings"));
}

// ---- Limits ----------------------------------------------------------------------------------

TEST_F(TransportTest, ConnectionsOverTheLimitAreClosed) {
    GrpcOptions options;
    options.connections_max = 1;
    start(options);
    service::GetSystemInfoResponse info;
    const service::GetSystemInfoRequest request;
    ASSERT_TRUE(call(std::string(kService) + "GetSystemInfo", request, info).ok());
    EXPECT_EQ(exchange("PRI * HTTP/2.0\r\n\r\n"), "") << "a connection too many was spoken to";
    EXPECT_TRUE(call(std::string(kService) + "GetSystemInfo", request, info).ok());
}

TEST_F(TransportTest, CallsOverTheLimitOfTheServerAreRefusedUntilOthersEnd) {
    GrpcOptions options;
    options.calls_max = 1;
    start(options);
    service::GetSystemInfoResponse info;
    const service::GetSystemInfoRequest request;
    {
        service::PollWorkflowTaskQueueResponse task;
        grpc::ClientContext context;
        set_deadline(context);
        auto waiting =
            begin(std::string(kService) + "PollWorkflowTaskQueue", poll(), task, context);
        EXPECT_EQ(waiting.wait_for(200ms), std::future_status::timeout);
        const grpc::Status refused = call(std::string(kService) + "GetSystemInfo", request, info);
        EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
        EXPECT_THAT(refused.error_message(), HasSubstr("too many calls"));
        context.TryCancel();
        EXPECT_EQ(waiting.get().error_code(), grpc::StatusCode::CANCELLED);
    }
    // The server learns of the end a moment after the caller.
    const auto until = std::chrono::steady_clock::now() + 10s;
    grpc::Status status;
    do {
        status = call(std::string(kService) + "GetSystemInfo", request, info);
    } while (!status.ok() && std::chrono::steady_clock::now() < until);
    EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(TransportTest, CallsOverTheLimitOfAConnectionWaitForOthers) {
    ConnectionOptions connection;
    connection.streams_max = 1;
    start(connection);
    service::PollWorkflowTaskQueueResponse task;
    grpc::ClientContext context;
    set_deadline(context);
    auto waiting = begin(std::string(kService) + "PollWorkflowTaskQueue", poll(), task, context);
    EXPECT_EQ(waiting.wait_for(200ms), std::future_status::timeout);
    service::GetSystemInfoResponse info;
    grpc::ClientContext second;
    set_deadline(second);
    auto next = begin(std::string(kService) + "GetSystemInfo", service::GetSystemInfoRequest(),
                      info, second);
    EXPECT_EQ(next.wait_for(200ms), std::future_status::timeout);
    context.TryCancel();
    EXPECT_EQ(waiting.get().error_code(), grpc::StatusCode::CANCELLED);
    EXPECT_TRUE(next.get().ok());
}

TEST_F(TransportTest, MessagesThatAreNestedTooDeepAreRefused) {
    service::RespondWorkflowTaskFailedRequest request;
    request.set_namespace_("default");
    auto* failure = request.mutable_failure();
    for (int i = 0; i < 10'000; ++i) failure = failure->mutable_cause();
    service::RespondWorkflowTaskFailedResponse response;
    const grpc::Status status =
        call(std::string(kService) + "RespondWorkflowTaskFailed", request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_THAT(status.error_message(), HasSubstr("error unmarshalling request"));
}

TEST_F(TransportTest, FiltersThatAreNestedTooDeepAreRefused) {
    service::ListWorkflowExecutionsRequest request;
    request.set_namespace_("default");
    request.set_query(std::string(10'000, '(') + "WorkflowId = 'w'" + std::string(10'000, ')'));
    service::ListWorkflowExecutionsResponse response;
    const grpc::Status status =
        call(std::string(kService) + "ListWorkflowExecutions", request, response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr("invalid query"));
}

TEST_F(TransportTest, APortThatIsTakenIsNamed) {
    const std::string address = "127.0.0.1:" + std::to_string(transport_->port());
    GrpcOptions options;
    options.address = address;
    const auto second = GrpcTransport::start(*env_, node_->frontend(), options);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(message_of(second.status()), HasSubstr(address));
}

}  // namespace
}  // namespace stele::server
