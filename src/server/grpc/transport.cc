#include "server/grpc/transport.h"

#include "server/grpc/call.h"

#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>

#include <utility>
#include <vector>

namespace stele::server {
namespace {

constexpr int kMinute = 60 * 1000;  // milliseconds, as gRPC counts

/// One gRPC service whose methods come from the frontend's table.
class ApiService final : public grpc::Service {
public:
    ApiService(const frontend::Frontend& frontend, const std::string& service) {
        const std::string prefix = "/" + service + "/";
        for (const std::string& path : frontend.methods().paths()) {
            if (path.starts_with(prefix)) paths_.push_back(path);
        }
        for (std::size_t i = 0; i < paths_.size(); ++i) add(frontend, static_cast<int>(i));
    }

private:
    using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

    void add(const frontend::Frontend& frontend, int index) {
        const std::string& path = paths_[static_cast<std::size_t>(index)];
        AddMethod(new grpc::internal::RpcServiceMethod(
            path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
        MarkMethodRawCallback(
            index, new Handler([&frontend, &path](grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* request,
                                                  grpc::ByteBuffer* response)
                                   -> grpc::ServerUnaryReactor* {
                const auto call = GrpcCall::make(context, request, response);
                frontend.dispatch(path, call);
                return call.get();
            }));
    }

    std::vector<std::string> paths_;  // never changes after construction: gRPC keeps pointers
};

/// Answers calls of services that nobody registered, in the words that Go's gRPC uses.
class UnknownService final : public grpc::CallbackGenericService {
    class Refusal final : public grpc::ServerGenericBidiReactor {
    public:
        explicit Refusal(const std::string& path) {
            const std::size_t slash = path.rfind('/');
            const std::string service =
                slash == 0 || slash == std::string::npos ? path : path.substr(1, slash - 1);
            Finish({grpc::StatusCode::UNIMPLEMENTED, "unknown service " + service});
        }
        void OnDone() override { delete this; }
    };

    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override {
        return new Refusal(context->method());
    }
};

class GrpcTransportImpl final : public GrpcTransport {
public:
    explicit GrpcTransportImpl(const frontend::Frontend& frontend)
        : workflow_(frontend, frontend::kWorkflowService),
          operator_(frontend, frontend::kOperatorService) {}

    ~GrpcTransportImpl() override { shutdown(Duration::zero()); }

    absl::Status listen(const GrpcOptions& options) {
        grpc::EnableDefaultHealthCheckService(true);
        grpc::reflection::InitProtoReflectionServerBuilderPlugin();
        grpc::ServerBuilder builder;
        configure(builder, options);
        builder.AddListeningPort(options.address, grpc::InsecureServerCredentials(), &port_);
        builder.RegisterService(&workflow_);
        builder.RegisterService(&operator_);
        builder.RegisterCallbackGenericService(&unknown_);
        server_ = builder.BuildAndStart();
        if (server_ == nullptr || port_ == 0) {
            return unavailable(fmt::format(
                "can not listen on {}: is another server running there?", options.address));
        }
        return absl::OkStatus();
    }

    int port() const override { return port_; }

    void set_serving(bool serving) override {
        if (auto* health = server_->GetHealthCheckService()) {
            health->SetServingStatus(serving);
            health->SetServingStatus(frontend::kWorkflowService, serving);
            health->SetServingStatus(frontend::kOperatorService, serving);
        }
    }

    void shutdown(Duration grace) override {
        if (server_ == nullptr) return;
        server_->Shutdown(std::chrono::system_clock::now() +
                          std::chrono::duration_cast<std::chrono::milliseconds>(grace));
        server_->Wait();
        server_.reset();
    }

private:
    static void configure(grpc::ServerBuilder& builder, const GrpcOptions& options) {
        builder.SetMaxReceiveMessageSize(options.maximum_message_bytes);
        builder.SetMaxSendMessageSize(-1);
        // Two processes must not share the port unnoticed.
        builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
        // Clients may ping without a call, at most every ten seconds.
        builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
        builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
        builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 2 * kMinute);
        builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 5 * kMinute);
        // Longer than a long poll, so that none is cut off by the age of its connection.
        builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 70'000);
    }

    ApiService workflow_;
    ApiService operator_;
    UnknownService unknown_;
    int port_ = 0;
    std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcTransport>> GrpcTransport::start(
    const frontend::Frontend& frontend, const GrpcOptions& options) {
    auto transport = std::make_unique<GrpcTransportImpl>(frontend);
    STELE_RETURN_IF_ERROR(transport->listen(options));
    return transport;
}

}  // namespace stele::server
