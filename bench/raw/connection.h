#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

// The least that a client of gRPC can do for a call: frames on one socket, on the caller's thread.
// gRPC's own client costs several times of what a server's answer does, and the two share processors.
namespace stele::bench {

/// How a call ended: a status of gRPC, which is 0 for success, and the message or what went wrong.
struct Answer {
    int status = 0;
    std::string message;
    std::string error;
};
using Answered = std::function<void(Answer)>;

/// One connection to a server in the clear. Not thread-safe: everything happens inside of its calls.
/// `Answered` may make further calls, but not end the connection. A connection that breaks is thrown as
/// std::runtime_error by whatever notices.
class GrpcConnection {
public:
    /// Connects to host:port and waits for it; throws std::system_error.
    explicit GrpcConnection(const std::string& address);
    ~GrpcConnection();
    GrpcConnection(const GrpcConnection&) = delete;
    GrpcConnection& operator=(const GrpcConnection&) = delete;

    int descriptor() const { return socket_; }

    /// Begins a unary call of `path`, as in "/package.Service/Method", and returns its stream. Nothing is
    /// sent before `flush`. `path` must outlive the call.
    std::int32_t call(std::string_view path, std::string_view message, Answered answered);
    /// Gives a call up: it ends with CANCELLED (1).
    void cancel(std::int32_t stream);

    /// Takes what has arrived, without waiting.
    void read();
    /// Sends what calls have left to send, waiting for the socket when it is full.
    void flush();

    std::size_t calls() const { return calls_.size(); }

private:
    struct Call {
        std::string sent;  // a prefix and the message
        std::size_t sent_bytes = 0;
        std::string received;
        Answer answer;
        Answered answered;
        bool has_status = false;
    };
    struct Callbacks;

    [[noreturn]] void broken(const char* why) const;
    void end(std::int32_t stream, std::uint32_t error_code);

    int socket_ = -1;
    std::string authority_;
    nghttp2_session* session_ = nullptr;
    std::unordered_map<std::int32_t, std::unique_ptr<Call>> calls_;
};

}  // namespace stele::bench
