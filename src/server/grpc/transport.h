#pragma once

#include "env/posix/posix_env.h"
#include "frontend/frontend.h"
#include "server/grpc/connection.h"

#include <memory>
#include <string>

// gRPC in front of a node, over HTTP/2 by nghttp2 (docs/adr/0006). Calls are read, answered and
// worked on by the loops of the environment, so that one which needs no disk never leaves its
// thread. Messages stay bytes until the frontend asks for them.
namespace stele::server {

struct GrpcOptions {
    std::string address;  // "ip:port" or "[ip]:port"; port 0 lets the system choose
    std::size_t connections_max = 10'000;  // over it, new ones are closed at once
    /// Calls under way on all connections together; over it, new ones get RESOURCE_EXHAUSTED.
    std::size_t calls_max = 200'000;
    ConnectionOptions connection;
};

/// Thread safe; not from the loops of its environment.
class GrpcTransport {
public:
    /// Listens and serves when it returns; UNAVAILABLE if the address can not be had. `env` and
    /// `frontend` must outlive the transport.
    static absl::StatusOr<std::unique_ptr<GrpcTransport>> start(env::PosixEnv& env,
                                                                const frontend::Frontend& frontend,
                                                                const GrpcOptions& options);
    virtual ~GrpcTransport() = default;

    /// The port that it listens on.
    virtual int port() const = 0;
    /// What health checks are told from now on.
    virtual void set_serving(bool serving) = 0;
    /// Refuses new calls, gives those under way until `grace` has passed, then ends them with
    /// UNAVAILABLE. Idempotent.
    virtual void shutdown(Duration grace) = 0;
};

}  // namespace stele::server
