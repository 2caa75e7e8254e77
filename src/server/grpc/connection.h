#pragma once

#include "env/posix/loop.h"
#include "server/grpc/stream.h"

#include <absl/container/node_hash_map.h>
#include <nghttp2/nghttp2.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

// One HTTP/2 connection with the gRPC calls on it. nghttp2 knows the protocol; here are the socket,
// the limits, and the mapping of streams to calls.
namespace stele::server {

struct ConnectionOptions {
    std::size_t message_bytes_max = 4U << 20;
    std::size_t header_bytes_max = 64U << 10;
    std::uint32_t streams_max = 10'000;
    /// Answers that the peer does not read; over this no more of its calls are taken in.
    std::size_t unread_bytes_max = 32U << 20;
    std::size_t received_bytes_max = 64U << 20;   ///< of requests that are not whole yet
    Duration idle_max = std::chrono::minutes(2);  ///< without a call
    Duration age_max = std::chrono::minutes(5);
    /// What calls still have once the age is reached; longer than a long poll.
    Duration age_grace = std::chrono::seconds(70);
    /// A silent peer is asked whether it is still there, and given up when it does not answer.
    Duration keepalive_after = std::chrono::minutes(1);
    Duration keepalive_timeout = std::chrono::seconds(10);
    /// Pings of the peer that come closer together than this, with nothing between them, are strikes.
    Duration ping_interval_min = std::chrono::seconds(10);
    int ping_strikes_max = 2;
    int resets_per_second_max = 2'000;
};

/// Lives on its loop's thread, where everything is called but the methods of the streams it gives
/// out. Held by whoever accepted it, until `closed` is called.
class Connection final : public env::Watcher, public std::enable_shared_from_this<Connection> {
public:
    using Closed = std::function<void(Connection&)>;

    /// Takes over the socket. `strand` is an executor of `loop`; all arguments outlive the connection.
    Connection(env::Loop& loop, env::Executor& strand, int socket, const ConnectionOptions& options,
               StreamRouter& router, Duration age_max, Closed closed);
    ~Connection() override;

    /// Must be called once, after the object is owned by a shared pointer.
    void start();
    void ready(std::uint32_t events) override;

    /// Looks at ages, deadlines and silence; called about once a second.
    void tick(Timestamp now);
    /// No new calls; the connection ends with the last of those under way.
    void go_away(std::uint32_t error = NGHTTP2_NO_ERROR, std::string_view reason = {});
    /// Ends every call with `status` and the connection with them.
    void close_now(const absl::Status& status);

    std::size_t calls() const { return calls_.size(); }

private:
    class CallStream;
    /// A call as its connection sees it.
    struct Call {
        std::shared_ptr<CallStream> stream;
        std::shared_ptr<StreamHandler> handler;
        CallHead head;  // until the handler is opened
        std::size_t header_bytes = 0;
        std::string received;  // of a message that is not whole yet
        std::string to_send;
        std::size_t sent = 0;     // of to_send
        bool responding = false;  // headers are on their way
        bool waiting_for_data = false;
        bool ended = false;
        absl::Status status;
    };

    struct Callbacks;  // nghttp2's, as static functions
    friend struct Callbacks;

    /// Asks the peer to make its next calls elsewhere; `go_away` follows once it must have heard.
    void announce_end(Timestamp now);
    void read_socket();
    void mark_dirty();
    void flush();
    bool write_socket();
    void fill_output();
    void watch_for(std::uint32_t events);
    void close_socket();

    Call* find(std::int32_t id);
    void open_call(std::int32_t id, Call& call);
    void take_data(std::int32_t id, std::string_view data);
    std::size_t take_messages(std::int32_t id, Call& call, std::string_view bytes);
    void take_ping(Timestamp now);
    void forgive_pings();
    void take_reset(Timestamp now);
    ssize_t give_data(std::int32_t id, std::uint8_t* buffer, std::size_t size,
                      std::uint32_t* flags);
    void forget(std::int32_t id);

    void send(std::int32_t id, std::string message);
    void end(std::int32_t id, const absl::Status& status);
    void respond(std::int32_t id, Call& call);
    void refuse(std::int32_t id, const char* http_status);

    env::Loop& loop_;
    env::Executor& strand_;
    int socket_;
    const ConnectionOptions& options_;
    StreamRouter& router_;
    Closed closed_;

    nghttp2_session* session_ = nullptr;
    absl::node_hash_map<std::int32_t, Call> calls_;
    std::string output_;
    std::size_t written_ = 0;         // of output_
    std::size_t unread_bytes_ = 0;    // answers that have not left
    std::size_t received_bytes_ = 0;  // requests that are not whole
    std::uint32_t watched_ = 0;
    bool dirty_ = false;
    bool reading_ = false;           // inside nghttp2, which must not be asked for output then
    Timestamp going_away_ = kUnset;  // since when the peer knows that it must leave
    bool last_word_said_ = false;

    Timestamp born_;
    Timestamp last_call_;  // when the last call ended
    Timestamp last_heard_;
    Timestamp ping_sent_ = kUnset;
    Duration age_max_;
    Timestamp last_ping_ = kUnset;
    int ping_strikes_ = 0;
    Timestamp resets_since_ = kUnset;
    int resets_ = 0;
};

}  // namespace stele::server
