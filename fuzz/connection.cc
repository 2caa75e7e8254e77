#include "fuzz/target.h"

#include "server/grpc/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>

// Any bytes on a connection of the server. It never delivers a message that is over its limit, ends
// every call once, and is gone once the peer is.
namespace {

using namespace stele;
using namespace std::chrono_literals;

constexpr std::size_t kMessageBytesMax = 1024;
/// What a client says first, with settings that change nothing.
constexpr std::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 24 + 9);

/// Answers each message with itself; of paths that end in "/never" it answers none.
class Echo final : public server::StreamHandler {
public:
    Echo(server::StreamPtr stream, int& open) : stream_(std::move(stream)), open_(open) { ++open_; }
    void message(std::string bytes) override {
        STELE_CHECK(!ended_, "a message behind the end");
        STELE_CHECK(bytes.size() <= kMessageBytesMax, "a message over the limit was delivered");
        if (!stream_->head().path().ends_with("/never")) stream_->send(std::move(bytes));
    }
    void half_closed() override {
        STELE_CHECK(!ended_, "half closed behind the end");
        if (!stream_->head().path().ends_with("/never")) stream_->end(absl::OkStatus());
    }
    void ended() override {
        STELE_CHECK(!ended_, "ended twice");
        ended_ = true;
        --open_;
    }

private:
    server::StreamPtr stream_;
    int& open_;
    bool ended_ = false;
};

class Router final : public server::StreamRouter {
public:
    std::shared_ptr<server::StreamHandler> open(server::StreamPtr stream) override {
        if (stream->head().path().starts_with("/none")) {
            stream->end(unimplemented("unknown"));
            return nullptr;
        }
        return std::make_shared<Echo>(std::move(stream), open_calls);
    }
    int open_calls = 0;
};

server::ConnectionOptions small_limits() {
    server::ConnectionOptions options;
    options.message_bytes_max = kMessageBytesMax;
    options.header_bytes_max = 4096;
    options.streams_max = 16;
    options.unread_bytes_max = 8 << 10;
    options.received_bytes_max = 16 << 10;
    options.resets_per_second_max = 20;
    return options;
}

/// A loop that stays, and one connection on it after the other.
class Bench {
public:
    void play(std::string_view bytes, bool waits) {
        int ends[2];
        STELE_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "no sockets");
        Router router;
        std::promise<void> gone;
        strand_->post([&, socket = ends[0]] { open(socket, router, gone, waits); });
        talk(ends[1], bytes);
        gone.get_future().wait();
        on_loop([] {});  // what the connection had still posted
        STELE_CHECK(router.open_calls == 0, "a call outlives its connection");
        close(ends[1]);
    }

private:
    void open(int socket, Router& router, std::promise<void>& gone, bool waits) {
        connection_ = std::make_shared<server::Connection>(loop_, *strand_, socket, options_,
                                                           router, 5min, [&](server::Connection&) {
                                                               strand_->post([&] {
                                                                   connection_.reset();
                                                                   gone.set_value();
                                                               });
                                                           });
        connection_->start();
        // As long a silence as the connection bears, at once.
        if (waits) connection_->tick(env::wall_clock() + 65s);
    }

    /// Writes everything, reads what comes, and hangs up.
    static void talk(int socket, std::string_view bytes) {
        char answer[4096];
        bool hung_up = false;
        for (;;) {
            if (bytes.empty() && !hung_up) {
                shutdown(socket, SHUT_WR);
                hung_up = true;
            }
            pollfd ready{socket, static_cast<short>(hung_up ? POLLIN : POLLIN | POLLOUT), 0};
            constexpr int kPatienceMilliseconds = 60'000;  // for machines that have other work
            STELE_CHECK(poll(&ready, 1, kPatienceMilliseconds) > 0, "the connection does not end");
            if ((ready.revents & POLLOUT) != 0 && !bytes.empty()) {
                const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
                if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
                if (sent < 0 && errno == EPIPE) bytes = {};
            }
            if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
                const ssize_t count = recv(socket, answer, sizeof answer, 0);
                if (count == 0 || (count < 0 && errno != EAGAIN)) return;
            }
        }
    }

    template <typename Action>
    void on_loop(Action action) {
        std::promise<void> done;
        strand_->post([&] {
            action();
            done.set_value();
        });
        done.get_future().wait();
    }

    const server::ConnectionOptions options_ = small_limits();
    env::Loop loop_{"fuzz"};
    std::unique_ptr<env::Executor> strand_ = loop_.make_strand("fuzz");
    std::shared_ptr<server::Connection> connection_;
};

}  // namespace

// Flags (1: without the preface, 2: a long silence first), then what is sent.
STELE_FUZZ_TARGET(connection) {
    static Bench& bench = *new Bench();
    stele::fuzz::Pieces pieces(input);
    const std::uint8_t flags = pieces.byte();
    std::string bytes((flags & 1) != 0 ? "" : kPreface);
    bytes += pieces.rest();
    bench.play(bytes, (flags & 2) != 0);
}
