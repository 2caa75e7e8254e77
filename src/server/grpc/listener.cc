#include "server/grpc/listener.h"

#include "base/status.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace stele::server {
namespace {

constexpr int kBacklog = 1024;
constexpr Duration kPause = std::chrono::milliseconds(100);  // while there are no descriptors left

absl::Status can_not_listen(const std::string& address, const std::string& why) {
    return unavailable(fmt::format("can not listen on {}: {}", address, why));
}

std::string error_text(int error) {
    if (error == EADDRINUSE) return "is another server running there?";
    return std::strerror(error);
}

int port_of(int socket) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
    return ntohs(bound.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                     : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::open(env::Loop& loop, env::Executor& strand,
                                                         const std::string& address,
                                                         Accepted accepted) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) return can_not_listen(address, "there is no port in it");
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &wanted, &found);
    if (error != 0) return can_not_listen(address, gai_strerror(error));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> freed(found, freeaddrinfo);

    const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return can_not_listen(address, error_text(errno));
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(socket, found->ai_addr, found->ai_addrlen) != 0 || listen(socket, kBacklog) != 0) {
        const std::string why = error_text(errno);
        close(socket);
        return can_not_listen(address, why);
    }
    return std::unique_ptr<Listener>(
        new Listener(loop, strand, socket, port_of(socket), std::move(accepted)));
}

Listener::~Listener() {
    if (socket_ >= 0) close(socket_);
}

void Listener::begin() {
    resume_ = 0;
    if (socket_ < 0 || watched_) return;
    watched_ = true;
    loop_.watch(socket_, EPOLLIN, *this);
}

void Listener::end() {
    if (socket_ < 0) return;
    if (watched_) loop_.unwatch(socket_, *this);
    if (resume_ != 0) strand_.cancel(resume_);
    close(std::exchange(socket_, -1));
}

void Listener::ready(std::uint32_t) {
    for (;;) {
        const int socket = accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            const int on = 1;
            setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            accepted_(socket);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return pause();
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/// Without it a connection that can not be accepted would wake the loop over and over.
void Listener::pause() {
    loop_.unwatch(socket_, *this);
    watched_ = false;
    resume_ = strand_.run_at(env::wall_clock() + kPause, [this] { begin(); });
}

}  // namespace stele::server
