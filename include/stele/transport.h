#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stele/options.h"
#include "stele/rpc_code.h"

namespace google::protobuf {
class Message;
}

namespace stele {

/// How calls reach a server: gRPC, an engine in the same process, or a simulated network.
///
/// Unary calls by full method path, such as
/// "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution". A transport makes one
/// attempt; retries are the client's business. Safe to use from any thread.
class Transport {
public:
    struct Status {
        /// An RpcCode.
        int code = kRpcOk;
        std::string message = {};
        /// A serialised google.rpc.Status, or empty.
        std::string details = {};

        bool ok() const { return code == kRpcOk; }
    };

    struct CallOptions {
        Milliseconds timeout{10'000};
        std::vector<std::pair<std::string, std::string>> metadata = {};
    };

    /// A call that is under way. Destroying it does not cancel.
    class Call {
    public:
        virtual ~Call() = default;
        /// The callback still comes, with CANCELLED unless the answer was faster.
        virtual void cancel() = 0;
    };

    using Callback = std::function<void(const Status&)>;

    virtual ~Transport() = default;

    /// Calls back exactly once, from any thread and possibly before it returns. `request` and
    /// `reply` are kept until then; `reply` is filled when the status is ok.
    virtual std::shared_ptr<Call> call(std::string_view method,
                                       std::shared_ptr<const google::protobuf::Message> request,
                                       std::shared_ptr<google::protobuf::Message> reply,
                                       const CallOptions& options, Callback done) = 0;
};

struct TlsOptions {
    /// PEM texts. An empty root means the system's.
    std::string root_certificates = {};
    /// For mutual TLS: both or neither.
    std::string client_certificate = {};
    std::string client_key = {};
    /// The name that the server's certificate must have, when it is not that of the address.
    std::string server_name = {};
    /// Believes any certificate of the server. Whoever sits in between can then read and change all.
    bool disable_host_verification = false;
};

struct GrpcTransportOptions {
    std::string address = "127.0.0.1:7233";
    bool use_tls = false;
    TlsOptions tls = {};
    Milliseconds keepalive_interval{30'000};
    Milliseconds keepalive_timeout{15'000};
};

/// Throws ConfigurationError for TLS options that cannot be meant. Does not connect.
std::shared_ptr<Transport> make_grpc_transport(const GrpcTransportOptions& options);

}  // namespace stele
