#pragma once

#include <google/protobuf/message.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

// How the load reaches a server: over gRPC, or an engine in the load's own process.
namespace stele::bench {

/// How a call ended: a status of gRPC, which is 0 for success, and what went wrong.
struct Ended {
    int status = 0;
    std::string error;
};

/// Not thread-safe: calls are made, and their ends told, on the thread that serves.
class Link {
public:
    using Clock = std::chrono::steady_clock;
    using CallId = std::int64_t;
    using Then = std::function<void(const Ended&)>;

    virtual ~Link() = default;

    /// Begins a call of `path`, as in "/package.Service/Method", which must outlive it. `then` comes
    /// while the link serves, with `reply` filled if the status is 0. Calls of one lane share a
    /// connection where there are any.
    virtual CallId call(int lane, const std::string& path,
                        std::shared_ptr<const google::protobuf::Message> request,
                        std::shared_ptr<google::protobuf::Message> reply, Then then) = 0;
    /// Gives a call up: it ends with CANCELLED (1), unless it has ended.
    virtual void cancel(int lane, CallId call) = 0;
    /// Lets calls go on until the time has come or `done` says so.
    virtual void serve_until(Clock::time_point end, const std::function<bool()>& done) = 0;
};

/// Connects to host:port so often; throws std::system_error, and while serving std::runtime_error when a
/// connection breaks.
std::unique_ptr<Link> connect(const std::string& address, int connections);
/// An engine of this process on so many threads, durable in the directory, with a namespace of this name.
std::unique_ptr<Link> embed(const std::string& directory, const std::string& name_space,
                            int threads);

}  // namespace stele::bench
