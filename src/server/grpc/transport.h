#pragma once

#include "frontend/frontend.h"

#include <memory>
#include <string>

// gRPC in front of a node. Methods are registered from the services' descriptors and their
// messages stay bytes until the frontend asks for them, so there is no generated service code.
namespace stele::server {

struct GrpcOptions {
    std::string address;  // "ip:port"; port 0 lets the system choose
    int maximum_message_bytes = 4 * 1024 * 1024;
};

/// Thread safe.
class GrpcTransport {
public:
    /// Listens and serves when it returns; UNAVAILABLE if the address can not be had. `frontend` must
    /// outlive the transport.
    static absl::StatusOr<std::unique_ptr<GrpcTransport>> start(const frontend::Frontend& frontend,
                                                                const GrpcOptions& options);
    virtual ~GrpcTransport() = default;

    /// The port that it listens on.
    virtual int port() const = 0;
    /// What health checks are told.
    virtual void set_serving(bool serving) = 0;
    /// Refuses new calls, gives those under way until `grace` has passed, then ends them.
    virtual void shutdown(Duration grace) = 0;
};

}  // namespace stele::server
