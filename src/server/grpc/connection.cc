#include "server/grpc/connection.h"

#include "base/check.h"
#include "base/enum_name.h"
#include "google/rpc/status.pb.h"
#include "server/grpc/wire.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include <absl/container/inlined_vector.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace stele::server {
namespace {

namespace enums = temporal::api::enums::v1;

constexpr std::size_t kReadBytes = 64U << 10;
constexpr std::size_t kOutputBytes = 256U << 10;           // gathered before a write
constexpr int kReadsPerTurn = 16;                          // then others have a turn
constexpr Duration kNoticeTime = std::chrono::seconds(1);  // longer than a round trip
constexpr std::int32_t kStreamWindow = 1 << 20;
constexpr std::int32_t kConnectionWindow = 16 << 20;

/// Of an answer, whose headers and trailers are few.
using HeaderBlock = absl::InlinedVector<nghttp2_nv, 8>;

/// A header whose parts outlive the call that takes it.
nghttp2_nv header(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

/// A status as trailers: code, message, and the Temporal detail in the form that every client reads.
struct Trailers {
    explicit Trailers(const absl::Status& status)
        : code(std::to_string(static_cast<int>(status.code()))),
          message(encode_message(message_of(status))) {
        const std::optional<ErrorDetail> carried = detail_of(status);
        if (!carried) return;
        google::rpc::Status rich;
        rich.set_code(static_cast<int>(status.code()));
        rich.set_message(message_of(status));
        auto* any = rich.add_details();
        any->set_type_url(carried->type_url);
        any->set_value(carried->value);
        detail = encode_binary(rich.SerializeAsString());
        read_exhaustion(*carried);
    }

    void append_to(HeaderBlock& headers) const {
        headers.push_back(header("grpc-status", code));
        if (!message.empty()) headers.push_back(header("grpc-message", message));
        if (!detail.empty()) headers.push_back(header("grpc-status-details-bin", detail));
        if (cause.empty()) return;
        headers.push_back(header("x-resource-exhausted-cause", cause));
        headers.push_back(header("x-resource-exhausted-scope", scope));
    }

    /// What was exhausted is told apart too, for those that do not read details.
    void read_exhaustion(const ErrorDetail& carried) {
        temporal::api::errordetails::v1::ResourceExhaustedFailure failure;
        const bool is_one = carried.type_url.ends_with("/" + failure.GetDescriptor()->full_name());
        if (!is_one || !failure.ParseFromString(carried.value)) return;
        cause = short_enum_name(enums::ResourceExhaustedCause_Name(failure.cause()),
                                "RESOURCE_EXHAUSTED_CAUSE_");
        scope = short_enum_name(enums::ResourceExhaustedScope_Name(failure.scope()),
                                "RESOURCE_EXHAUSTED_SCOPE_");
    }

    std::string code;
    std::string message;
    std::string detail;
    std::string cause;
    std::string scope;
};

absl::Status exhausted(std::string why) {
    return make_error(absl::StatusCode::kResourceExhausted, std::move(why));
}

void append_response_headers(HeaderBlock& headers) {
    headers.push_back(header(":status", "200"));
    headers.push_back(header("content-type", "application/grpc"));
    headers.push_back(header("grpc-accept-encoding", "identity,gzip,deflate"));
}

}  // namespace

// ---- Streams ---------------------------------------------------------------------------------

/// What handlers hold of a call. It outlives the connection without holding it.
class Connection::CallStream final : public Stream {
public:
    CallStream(const std::shared_ptr<Connection>& connection, std::int32_t id, CallHead head)
        : loop_(connection->loop_),
          strand_(connection->strand_),
          connection_(connection),
          id_(id),
          head_(std::move(head)) {}

    const CallHead& head() const override { return head_; }

    void send(std::string message) override {
        on_loop([id = id_, message = std::move(message)](Connection& connection) mutable {
            connection.send(id, std::move(message));
        });
    }
    void end(const absl::Status& status) override {
        on_loop([id = id_, status](Connection& connection) { connection.end(id, status); });
    }
    void send_last(std::string message) override {
        on_loop([id = id_, message = std::move(message)](Connection& connection) mutable {
            connection.send(id, std::move(message));
            connection.end(id, absl::OkStatus());
        });
    }

private:
    template <typename Action>
    void on_loop(Action action) {
        if (loop_.is_current()) {
            if (const auto connection = connection_.lock()) action(*connection);
            return;
        }
        strand_.post([weak = connection_, action = std::move(action)]() mutable {
            if (const auto connection = weak.lock()) action(*connection);
        });
    }

    env::Loop& loop_;
    env::Executor& strand_;
    const std::weak_ptr<Connection> connection_;
    const std::int32_t id_;
    const CallHead head_;
};

// ---- nghttp2 ---------------------------------------------------------------------------------

struct Connection::Callbacks {
    static Connection& self(void* user) { return *static_cast<Connection*>(user); }

    static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self(user).calls_[frame->hd.stream_id];
        return 0;
    }

    static int take_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                           std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                           std::uint8_t, void* user) {
        Connection& connection = self(user);
        Call* const call = connection.find(frame->hd.stream_id);
        if (call == nullptr || call->handler != nullptr) return 0;  // trailers mean nothing
        call->header_bytes += name_size + value_size;
        if (call->header_bytes > connection.options_.header_bytes_max) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        call->head.headers.add({reinterpret_cast<const char*>(name), name_size},
                               {reinterpret_cast<const char*>(value), value_size});
        return 0;
    }

    static int take_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        Connection& connection = self(user);
        switch (frame->hd.type) {
            case NGHTTP2_HEADERS:
            case NGHTTP2_DATA: {
                Call* call = connection.find(frame->hd.stream_id);
                if (call == nullptr) return 0;
                if (frame->hd.type == NGHTTP2_HEADERS && call->handler == nullptr) {
                    connection.open_call(frame->hd.stream_id, *call);
                    call = connection.find(frame->hd.stream_id);
                }
                if (call != nullptr && call->handler != nullptr && !call->ended &&
                    (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                    const auto handler = call->handler;  // it may end the call
                    handler->half_closed();
                }
                return 0;
            }
            case NGHTTP2_PING:
                if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
                    connection.take_ping(connection.last_heard_);
                }
                return 0;
            case NGHTTP2_RST_STREAM: connection.take_reset(connection.last_heard_); return 0;
            default: return 0;
        }
    }

    static int take_chunk(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                          std::size_t size, void* user) {
        self(user).take_data(id, {reinterpret_cast<const char*>(data), size});
        return 0;
    }

    static int close_stream(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
        self(user).forget(id);
        return 0;
    }

    static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
        // An answer that ends before its request has: the rest of the request is not wanted.
        if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
            nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                      NGHTTP2_NO_ERROR);
        }
        return 0;
    }

    static ssize_t give_data(nghttp2_session*, std::int32_t id, std::uint8_t* buffer,
                             std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                             void* user) {
        return self(user).give_data(id, buffer, size, flags);
    }

    static const nghttp2_session_callbacks* table() {
        static nghttp2_session_callbacks* const made = [] {
            nghttp2_session_callbacks* callbacks = nullptr;
            STELE_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0, "out of memory");
            nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
            nghttp2_session_callbacks_set_on_header_callback(callbacks, take_header);
            nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_chunk);
            nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, close_stream);
            nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_sent);
            return callbacks;
        }();
        return made;
    }
};

// ---- Life ------------------------------------------------------------------------------------

Connection::Connection(env::Loop& loop, env::Executor& strand, int socket,
                       const ConnectionOptions& options, StreamRouter& router, Duration age_max,
                       Closed closed)
    : loop_(loop),
      strand_(strand),
      socket_(socket),
      options_(options),
      router_(router),
      closed_(std::move(closed)),
      born_(env::wall_clock()),
      last_call_(born_),
      last_heard_(born_),
      age_max_(age_max) {}

Connection::~Connection() {
    nghttp2_session_del(session_);
    if (socket_ >= 0) close(socket_);
}

void Connection::start() {
    nghttp2_option* option = nullptr;
    STELE_CHECK(nghttp2_option_new(&option) == 0, "out of memory");
    // A call that its caller takes back may still be on its way in part. Of a stream that has been
    // forgotten nghttp2 skips what comes late; for one that it keeps it would end the connection.
    nghttp2_option_set_no_closed_streams(option, 1);
    const int made = nghttp2_session_server_new2(&session_, Callbacks::table(), this, option);
    nghttp2_option_del(option);
    STELE_CHECK(made == 0, "out of memory");
    const std::array settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.streams_max},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
                               static_cast<std::uint32_t>(options_.header_bytes_max)}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
    watched_ = EPOLLIN;
    loop_.watch(socket_, watched_, *this);
    flush();
}

void Connection::ready(std::uint32_t events) {
    const auto self = shared_from_this();  // it may close
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_socket();
    flush();
}

void Connection::read_socket() {
    std::array<std::uint8_t, kReadBytes> buffer;
    for (int turn = 0; turn < kReadsPerTurn && socket_ >= 0; ++turn) {
        const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (count <= 0) return close_socket();
        last_heard_ = env::loop_clock();
        ping_sent_ = kUnset;
        reading_ = true;
        const ssize_t taken =
            nghttp2_session_mem_recv(session_, buffer.data(), static_cast<std::size_t>(count));
        reading_ = false;
        // nghttp2 has put its reasons into a GOAWAY, if there is anybody to tell; bytes that are no
        // HTTP/2 at all get no answer.
        if (taken < 0) {
            nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
            fill_output();
            write_socket();
            return close_socket();
        }
        if (static_cast<std::size_t>(count) < buffer.size()) return;
    }
}

void Connection::mark_dirty() {
    if (dirty_ || reading_) return;
    dirty_ = true;
    // Later, so that what is answered in one turn of the loop leaves in one write.
    strand_.post([weak = weak_from_this()] {
        if (const auto connection = weak.lock()) connection->flush();
    });
}

void Connection::flush() {
    dirty_ = false;
    while (socket_ >= 0) {
        fill_output();
        if (written_ == output_.size()) break;
        if (!write_socket()) return;
    }
    if (socket_ < 0) return;
    watch_for(EPOLLIN);
    const bool over = last_word_said_ && calls_.empty();
    if (over ||
        (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0)) {
        close_socket();
    }
}

void Connection::fill_output() {
    while (output_.size() - written_ < kOutputBytes) {
        const std::uint8_t* data = nullptr;
        const ssize_t count = nghttp2_session_mem_send(session_, &data);
        if (count <= 0) return;
        output_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(count));
    }
}

/// False when the socket takes no more for now, or is gone.
bool Connection::write_socket() {
    while (written_ < output_.size()) {
        const ssize_t count =
            ::send(socket_, output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            watch_for(EPOLLIN | EPOLLOUT);
            return false;
        }
        if (count < 0) {
            close_socket();
            return false;
        }
        written_ += static_cast<std::size_t>(count);
    }
    output_.clear();
    written_ = 0;
    return true;
}

void Connection::watch_for(std::uint32_t events) {
    if (watched_ == events || socket_ < 0) return;
    watched_ = events;
    loop_.change(socket_, events, *this);
}

void Connection::close_socket() {
    if (socket_ < 0) return;
    loop_.unwatch(socket_, *this);
    close(std::exchange(socket_, -1));
    while (!calls_.empty()) forget(calls_.begin()->first);
    closed_(*this);
}

void Connection::announce_end(Timestamp now) {
    if (going_away_ != kUnset || socket_ < 0) return;
    going_away_ = now;
    nghttp2_submit_shutdown_notice(session_);
    mark_dirty();
}

void Connection::go_away(std::uint32_t error, std::string_view reason) {
    if (last_word_said_ || socket_ < 0) return;
    last_word_said_ = true;
    if (going_away_ == kUnset) going_away_ = env::wall_clock();
    nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_), error,
                          reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size());
    mark_dirty();
}

void Connection::close_now(const absl::Status& status) {
    if (socket_ < 0) return;
    const auto self = shared_from_this();
    std::vector<std::int32_t> open;
    for (const auto& [id, call] : calls_) open.push_back(id);
    for (const std::int32_t id : open) end(id, status);
    flush();
    close_socket();
}

void Connection::tick(Timestamp now) {
    const auto self = shared_from_this();
    if (!calls_.empty()) last_call_ = now;
    if (now - born_ > age_max_ || now - last_call_ > options_.idle_max) announce_end(now);
    if (going_away_ != kUnset) {
        // By now the peer has stopped making calls, so that none is lost.
        if (now - going_away_ > kNoticeTime) go_away();
        if (now - going_away_ > options_.age_grace) {
            return close_now(unavailable("the connection has reached its age"));
        }
    }
    if (ping_sent_ != kUnset && now - ping_sent_ > options_.keepalive_timeout) {
        return close_now(unavailable("the connection is silent"));
    }
    if (ping_sent_ == kUnset && now - last_heard_ > options_.keepalive_after) {
        nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
        ping_sent_ = now;
        mark_dirty();
    }
    // Callers keep their deadlines themselves; this is for those that can not any more.
    std::vector<std::int32_t> late;
    for (const auto& [id, call] : calls_) {
        if (call.stream != nullptr &&
            call.stream->head().deadline < now - std::chrono::seconds(1)) {
            late.push_back(id);
        }
    }
    for (const std::int32_t id : late) end(id, deadline_exceeded("context deadline exceeded"));
}

// ---- Calls -----------------------------------------------------------------------------------

Connection::Call* Connection::find(std::int32_t id) {
    const auto found = calls_.find(id);
    return found == calls_.end() ? nullptr : &found->second;
}

void Connection::open_call(std::int32_t id, Call& call) {
    CallHead head = std::move(call.head);
    if (head.header(":method") != "POST") return refuse(id, "405");
    if (!head.header("content-type").starts_with("application/grpc")) return refuse(id, "415");
    const std::string_view timeout = head.header("grpc-timeout");
    const std::optional<Duration> span = parse_timeout(timeout);
    if (span) head.deadline = last_heard_ + *span;
    call.stream = std::make_shared<CallStream>(shared_from_this(), id, std::move(head));
    if (!timeout.empty() && !span) {
        return end(id, internal_error(fmt::format("malformed grpc-timeout: {}", timeout)));
    }
    if (unread_bytes_ > options_.unread_bytes_max) {
        return end(id, exhausted("too many answers of this connection have not been read"));
    }
    call.handler = router_.open(call.stream);
}

void Connection::take_data(std::int32_t id, std::string_view data) {
    Call* const call = find(id);
    if (call == nullptr || call->handler == nullptr || call->ended) return;
    if (received_bytes_ + data.size() > options_.received_bytes_max) {
        return end(id, exhausted("too many requests of this connection are incomplete"));
    }
    std::size_t taken = 0;
    if (call->received.empty()) {  // nearly always, and then the message is whole
        taken = take_messages(id, *call, data);
        call->received = data.substr(taken);
    } else {
        call->received.append(data);
        taken = take_messages(id, *call, call->received);
        call->received.erase(0, taken);
    }
    received_bytes_ += data.size();
    received_bytes_ -= taken;  // which may be more than came now
}

/// Hands on the messages that `bytes` begins with. Returns how many bytes are done with: all of them, once the
/// call has ended.
std::size_t Connection::take_messages(std::int32_t id, Call& call, std::string_view bytes) {
    std::string_view rest = bytes;
    const auto fail = [&](const absl::Status& status) {
        end(id, status);
        return bytes.size();
    };
    while (!call.ended && rest.size() >= kMessagePrefixBytes) {
        const absl::StatusOr<MessagePrefix> prefix = read_message_prefix(rest);
        if (!prefix.ok()) return fail(prefix.status());
        if (prefix->length > options_.message_bytes_max) {
            return fail(message_too_large(prefix->length, options_.message_bytes_max));
        }
        if (rest.size() < kMessagePrefixBytes + prefix->length) break;
        const std::string_view body = rest.substr(kMessagePrefixBytes, prefix->length);
        rest.remove_prefix(kMessagePrefixBytes + prefix->length);
        if (!prefix->compressed) {
            call.handler->message(std::string(body));
            continue;
        }
        const std::string_view encoding = call.stream->head().header("grpc-encoding");
        if (encoding != "gzip" && encoding != "deflate") {
            return fail(unimplemented(fmt::format(
                "grpc: Decompressor is not installed for grpc-encoding \"{}\"", encoding)));
        }
        absl::StatusOr<std::string> plain = decompress(body, options_.message_bytes_max);
        if (!plain.ok()) return fail(plain.status());
        call.handler->message(*std::move(plain));
    }
    return call.ended ? bytes.size() : bytes.size() - rest.size();
}

void Connection::take_ping(Timestamp now) {
    const bool too_soon = last_ping_ != kUnset && now - last_ping_ < options_.ping_interval_min;
    last_ping_ = now;
    if (!too_soon || ++ping_strikes_ <= options_.ping_strikes_max) return;
    go_away(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
}

/// The pings of a peer that is being answered are no strikes: it measures how fast answers come, and
/// for that pings with every piece of a long one.
void Connection::forgive_pings() {
    ping_strikes_ = 0;
    last_ping_ = kUnset;
}

/// Many calls that are taken back as soon as they are made cost the server more than the peer.
void Connection::take_reset(Timestamp now) {
    if (resets_since_ == kUnset || now - resets_since_ > std::chrono::seconds(1)) {
        resets_since_ = now;
        resets_ = 0;
    }
    if (++resets_ <= options_.resets_per_second_max) return;
    nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
}

ssize_t Connection::give_data(std::int32_t id, std::uint8_t* buffer, std::size_t size,
                              std::uint32_t* flags) {
    Call* const call = find(id);
    if (call == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t count = std::min(size, call->to_send.size() - call->sent);
    std::copy_n(call->to_send.data() + call->sent, count, buffer);
    call->sent += count;
    unread_bytes_ -= count;
    if (count > 0) forgive_pings();
    if (call->sent < call->to_send.size()) return static_cast<ssize_t>(count);
    call->to_send.clear();
    call->sent = 0;
    if (call->ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const Trailers trailers(call->status);
        HeaderBlock headers;
        trailers.append_to(headers);
        nghttp2_submit_trailer(session_, id, headers.data(), headers.size());
    } else if (count == 0) {
        call->waiting_for_data = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(count);
}

void Connection::forget(std::int32_t id) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    const std::shared_ptr<StreamHandler> handler = std::move(found->second.handler);
    unread_bytes_ -= found->second.to_send.size() - found->second.sent;
    received_bytes_ -= found->second.received.size();
    calls_.erase(found);
    if (calls_.empty()) last_call_ = last_heard_;
    if (handler != nullptr) handler->ended();
}

// ---- Answers ---------------------------------------------------------------------------------

void Connection::send(std::int32_t id, std::string message) {
    Call* const call = find(id);
    if (call == nullptr || call->ended) return;
    unread_bytes_ += kMessagePrefixBytes + message.size();
    if (call->to_send.empty()) {
        call->to_send.reserve(kMessagePrefixBytes + message.size());
    }
    call->to_send += message_prefix(message.size());
    call->to_send += message;
    respond(id, *call);
}

void Connection::end(std::int32_t id, const absl::Status& status) {
    Call* const call = find(id);
    if (call == nullptr || call->ended) return;
    call->ended = true;
    call->status = status;
    forgive_pings();
    if (call->responding) return respond(id, *call);
    // Nothing was sent: the trailers are all there is.
    call->responding = true;
    const Trailers trailers(status);
    HeaderBlock headers;
    append_response_headers(headers);
    trailers.append_to(headers);
    nghttp2_submit_response(session_, id, headers.data(), headers.size(), nullptr);
    mark_dirty();
}

void Connection::respond(std::int32_t id, Call& call) {
    if (!call.responding) {
        call.responding = true;
        HeaderBlock headers;
        append_response_headers(headers);
        nghttp2_data_provider provider{};
        provider.read_callback = Callbacks::give_data;
        nghttp2_submit_response(session_, id, headers.data(), headers.size(), &provider);
    } else if (std::exchange(call.waiting_for_data, false)) {
        nghttp2_session_resume_data(session_, id);
    }
    mark_dirty();
}

void Connection::refuse(std::int32_t id, const char* http_status) {
    if (Call* const call = find(id)) call->ended = true;
    const nghttp2_nv status = header(":status", http_status);
    nghttp2_submit_response(session_, id, &status, 1, nullptr);
    mark_dirty();
}

}  // namespace stele::server
