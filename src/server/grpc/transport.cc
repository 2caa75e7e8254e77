#include "server/grpc/transport.h"

#include "server/grpc/builtin_services.h"
#include "server/grpc/call.h"
#include "server/grpc/listener.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace stele::server {
namespace {

constexpr Duration kTick = std::chrono::seconds(1);
constexpr double kAgeJitter = 0.1;  // so that connections made together do not end together

/// Counts connections for whoever waits for the last one.
class Headcount {
public:
    bool take(std::size_t limit) {
        std::lock_guard lock(mutex_);
        if (count_ >= limit) return false;
        ++count_;
        return true;
    }
    void leave() {
        std::lock_guard lock(mutex_);
        if (--count_ == 0) none_.notify_all();
    }
    void wait_for_none(Duration longest) {
        std::unique_lock lock(mutex_);
        none_.wait_for(lock, longest, [this] { return count_ == 0; });
    }

private:
    std::mutex mutex_;
    std::condition_variable none_;
    std::size_t count_ = 0;
};

/// The connections of one loop.
class Lane final : public StreamRouter {
public:
    Lane(env::PosixEnv& env, env::Loop& loop, const frontend::Frontend& frontend,
         const GrpcOptions& options, Headcount& headcount, std::atomic<std::size_t>& calls)
        : env_(env),
          loop_(loop),
          frontend_(frontend),
          options_(options),
          headcount_(headcount),
          calls_(calls),
          reflection_(
              {frontend::kWorkflowService, frontend::kOperatorService, "grpc.health.v1.Health"}),
          strand_(loop.make_strand("grpc")) {
        strand_->post([this] { tick(); });
    }

    env::Loop& loop() { return loop_; }
    env::Executor& strand() { return *strand_; }

    /// Thread safe. The caller has taken a place in the headcount.
    void adopt(int socket) {
        strand_->post([this, socket] {
            const double jitter = 1 + kAgeJitter * (2 * uniform() - 1);
            const auto age =
                std::chrono::duration_cast<Duration>(options_.connection.age_max * jitter);
            const auto connection =
                std::make_shared<Connection>(loop_, *strand_, socket, options_.connection, *this,
                                             age, [this](Connection& closed) {
                                                 connections_.erase(closed.shared_from_this());
                                                 headcount_.leave();
                                             });
            connections_.insert(connection);
            connection->start();
        });
    }

    void set_serving(bool serving) {
        health_.set_serving({frontend::kWorkflowService, frontend::kOperatorService}, serving);
    }

    void for_each(const std::function<void(Connection&)>& visit) {
        const auto connections = connections_;  // one that closes leaves the set
        for (const auto& connection : connections) visit(*connection);
    }

    std::shared_ptr<StreamHandler> open(StreamPtr stream) override {
        const std::string_view path = stream->head().path();
        if (path.starts_with(workflow_) || path.starts_with(operator_)) {
            std::optional<CallPlace> place = CallPlace::take(calls_, options_.calls_max);
            if (place) {
                return std::make_shared<GrpcCall>(frontend_, std::move(stream), *std::move(place));
            }
            stream->end(make_error(absl::StatusCode::kResourceExhausted,
                                   "the server has too many calls under way"));
            return nullptr;
        }
        if (auto handler = health_.open(stream)) return handler;
        if (auto handler = reflection_.open(stream)) return handler;
        const std::size_t slash = path.rfind('/');
        const bool named = slash != 0 && slash != std::string::npos;
        stream->end(unimplemented(
            fmt::format("unknown service {}", named ? path.substr(1, slash - 1) : path)));
        return nullptr;
    }

private:
    double uniform() { return static_cast<double>(env_.random().next() >> 11) * 0x1.0p-53; }

    void tick() {
        const Timestamp now = env_.now();
        for_each([now](Connection& connection) { connection.tick(now); });
        strand_->run_at(now + kTick, [this] { tick(); });
    }

    env::PosixEnv& env_;
    env::Loop& loop_;
    const frontend::Frontend& frontend_;
    const GrpcOptions& options_;
    Headcount& headcount_;
    std::atomic<std::size_t>& calls_;  // of the server, under way
    const std::string workflow_ = fmt::format("/{}/", frontend::kWorkflowService);
    const std::string operator_ = fmt::format("/{}/", frontend::kOperatorService);
    HealthService health_;
    const ReflectionService reflection_;
    std::set<std::shared_ptr<Connection>> connections_;
    std::unique_ptr<env::Executor> strand_;  // last: nothing runs on a ruin
};

class GrpcTransportImpl final : public GrpcTransport {
public:
    GrpcTransportImpl(env::PosixEnv& env, const frontend::Frontend& frontend,
                      const GrpcOptions& options)
        : options_(options) {
        for (env::Loop* const loop : env.loops()) {
            lanes_.push_back(
                std::make_unique<Lane>(env, *loop, frontend, options_, headcount_, calls_));
        }
    }

    ~GrpcTransportImpl() override { shutdown(Duration::zero()); }

    absl::Status listen() {
        Lane& first = *lanes_.front();
        STELE_ASSIGN_OR_RETURN(listener_,
                               Listener::open(first.loop(), first.strand(), options_.address,
                                              [this](int socket) { accepted(socket); }));
        on_lane(first, [this] { listener_->begin(); });
        return absl::OkStatus();
    }

    int port() const override { return listener_->port(); }

    void set_serving(bool serving) override {
        for (const auto& lane : lanes_) on_lane(*lane, [&] { lane->set_serving(serving); });
    }

    void shutdown(Duration grace) override {
        if (std::exchange(is_down_, true) || listener_ == nullptr) return;
        on_lane(*lanes_.front(), [this] { listener_->end(); });
        on_all_connections([](Connection& connection) { connection.go_away(); });
        headcount_.wait_for_none(grace);
        on_all_connections([](Connection& connection) {
            connection.close_now(unavailable("the server is shutting down"));
        });
    }

private:
    void accepted(int socket) {
        if (!headcount_.take(options_.connections_max)) {
            close(socket);
            return;
        }
        lanes_[next_lane_++ % lanes_.size()]->adopt(socket);
    }

    /// Runs there, and returns once it has.
    static void on_lane(Lane& lane, std::function<void()> action) {
        std::promise<void> done;
        lane.strand().post([&] {
            action();
            done.set_value();
        });
        done.get_future().wait();
    }

    void on_all_connections(const std::function<void(Connection&)>& action) {
        for (const auto& lane : lanes_) {
            on_lane(*lane, [&] { lane->for_each(action); });
        }
    }

    const GrpcOptions options_;
    Headcount headcount_;
    std::atomic<std::size_t> calls_ = 0;
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::unique_ptr<Listener> listener_;
    std::size_t next_lane_ = 0;
    bool is_down_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcTransport>> GrpcTransport::start(
    env::PosixEnv& env, const frontend::Frontend& frontend, const GrpcOptions& options) {
    auto transport = std::make_unique<GrpcTransportImpl>(env, frontend, options);
    STELE_RETURN_IF_ERROR(transport->listen());
    return transport;
}

}  // namespace stele::server
