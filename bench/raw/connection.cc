#include "connection.h"

#include "server/grpc/wire.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace stele::bench {
namespace {

constexpr int kOk = 0;
constexpr int kCancelled = 1;
constexpr int kUnavailable = 14;
constexpr std::int32_t kWindowBytes = 16 << 20;

[[noreturn]] void throw_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int connect_to(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error(address + " is not host:port");
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = getaddrinfo(address.substr(0, colon).c_str(),
                                   address.substr(colon + 1).c_str(), &hints, &found);
    if (failed != 0) throw std::runtime_error(address + ": " + gai_strerror(failed));
    int descriptor = -1;
    for (const addrinfo* one = found; one != nullptr && descriptor < 0; one = one->ai_next) {
        descriptor = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (descriptor >= 0 && connect(descriptor, one->ai_addr, one->ai_addrlen) != 0) {
            close(std::exchange(descriptor, -1));
        }
    }
    freeaddrinfo(found);
    if (descriptor < 0) throw_errno(address.c_str());
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

nghttp2_nv header(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

}  // namespace

/// What nghttp2 calls while it reads and writes. Each finds the connection in `user`.
struct GrpcConnection::Callbacks {
    static Call* call_of(void* user, std::int32_t stream) {
        auto& calls = static_cast<GrpcConnection*>(user)->calls_;
        const auto found = calls.find(stream);
        return found == calls.end() ? nullptr : found->second.get();
    }

    static ssize_t send_body(nghttp2_session*, std::int32_t stream, std::uint8_t* buffer,
                             std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                             void* user) {
        Call* call = call_of(user, stream);
        if (call == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const std::size_t bytes = std::min(size, call->sent.size() - call->sent_bytes);
        std::memcpy(buffer, call->sent.data() + call->sent_bytes, bytes);
        call->sent_bytes += bytes;
        if (call->sent_bytes == call->sent.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
        return static_cast<ssize_t>(bytes);
    }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* user) {
        const std::string_view key(reinterpret_cast<const char*>(name), name_size);
        if (!key.starts_with("grpc-")) return 0;
        Call* call = call_of(user, frame->hd.stream_id);
        if (call == nullptr) return 0;
        const char* text = reinterpret_cast<const char*>(value);
        if (key == "grpc-status") {
            call->has_status =
                std::from_chars(text, text + value_size, call->answer.status).ec == std::errc();
        } else if (key == "grpc-message") {
            call->answer.error.assign(text, value_size);
        }
        return 0;
    }

    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream,
                       const std::uint8_t* bytes, std::size_t size, void* user) {
        if (Call* call = call_of(user, stream)) {
            call->received.append(reinterpret_cast<const char*>(bytes), size);
        }
        return 0;
    }

    static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t error_code,
                        void* user) {
        static_cast<GrpcConnection*>(user)->end(stream, error_code);
        return 0;
    }
};

GrpcConnection::GrpcConnection(const std::string& address)
    : socket_(connect_to(address)), authority_(address) {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::on_close);
    const int failed = nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    if (failed != 0) throw std::bad_alloc();
    const std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindowBytes);
    flush();
}

GrpcConnection::~GrpcConnection() {
    nghttp2_session_del(session_);
    close(socket_);
}

std::int32_t GrpcConnection::call(std::string_view path, std::string_view message,
                                  Answered answered) {
    const std::array headers{header(":method", "POST"),
                             header(":scheme", "http"),
                             header(":path", path),
                             header(":authority", authority_),
                             header("te", "trailers"),
                             header("content-type", "application/grpc"),
                             header("user-agent", "raw-load"),
                             header("grpc-timeout", "70S")};
    nghttp2_data_provider body{};
    body.read_callback = Callbacks::send_body;
    const std::int32_t stream =
        nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(), &body, nullptr);
    if (stream < 0) throw std::runtime_error(nghttp2_strerror(stream));
    auto call = std::make_unique<Call>();
    call->sent = server::message_prefix(message.size()).append(message);
    call->answered = std::move(answered);
    calls_.emplace(stream, std::move(call));
    return stream;
}

void GrpcConnection::cancel(std::int32_t stream) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

void GrpcConnection::end(std::int32_t stream, std::uint32_t error_code) {
    const auto found = calls_.find(stream);
    if (found == calls_.end()) return;
    const std::unique_ptr<Call> call = std::move(found->second);
    calls_.erase(found);
    Answer& answer = call->answer;
    if (error_code == NGHTTP2_CANCEL) {
        answer.status = kCancelled;
    } else if (!call->has_status ||
               (answer.status == kOk && call->received.size() < server::kMessagePrefixBytes)) {
        answer.status = kUnavailable;
        answer.error = "the stream ended without an answer";
    } else if (answer.status == kOk) {
        answer.message = std::move(call->received);
        answer.message.erase(0, server::kMessagePrefixBytes);
    }
    call->answered(std::move(answer));
}

void GrpcConnection::broken(const char* why) const {
    throw std::runtime_error(authority_ + ": " + why);
}

void GrpcConnection::read() {
    std::array<std::uint8_t, 65536> buffer;
    while (true) {
        const ssize_t size = recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (size <= 0) broken(size == 0 ? "the server has closed" : std::strerror(errno));
        const ssize_t taken =
            nghttp2_session_mem_recv(session_, buffer.data(), static_cast<std::size_t>(size));
        if (taken < 0) broken(nghttp2_strerror(static_cast<int>(taken)));
        if (static_cast<std::size_t>(size) < buffer.size()) return;
    }
}

void GrpcConnection::flush() {
    std::string output;
    while (true) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
        if (size < 0) broken(nghttp2_strerror(static_cast<int>(size)));
        if (size == 0) break;
        output.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
    for (std::string_view left = output; !left.empty();) {
        const ssize_t sent = send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) broken(std::strerror(errno));
        left.remove_prefix(static_cast<std::size_t>(sent));
    }
}

}  // namespace stele::bench
