#include "sim/network.h"

#include "base/probe.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace stele::sim {

namespace {
constexpr char kService[] = "/temporal.api.workflowservice.v1.WorkflowService/";
constexpr std::uint64_t kPowerLostBehindOthers = 4;  // where it is behind answers
}  // namespace

/// What the caller's side remembers of a call.
class PendingCall {
public:
    std::uint64_t id = 0;
    std::string path;
    std::string request;
    Network::Headers headers;
    Timestamp deadline;
    Network::Done done;
    env::TimerId timer = 0;
    bool answered = false;
    std::vector<std::shared_ptr<class Delivery>> deliveries;  // one for each time it arrived
};

/// The call as the server sees it: one arrival of the request.
class Delivery final : public frontend::Call {
public:
    Delivery(const PendingCall& call, std::function<void(absl::StatusOr<std::string>)> answer)
        : request_(call.request),
          headers_(call.headers),
          deadline_(call.deadline),
          answer_(std::move(answer)) {}

    Timestamp deadline() const override { return deadline_; }
    bool cancelled() const override { return cancelled_; }
    void on_cancel(absl::AnyInvocable<void()> closure) override {
        closure_ = std::move(closure);
        if (cancelled_ && closure_) std::exchange(closure_, nullptr)();
    }
    absl::Status read(google::protobuf::Message& request) override {
        if (request.ParseFromString(request_)) return absl::OkStatus();
        return internal_error("a request does not parse");
    }
    std::string header(std::string_view name) const override {
        for (const auto& [key, value] : headers_) {
            if (key == name) return value;
        }
        return {};
    }
    void finish(absl::StatusOr<std::string> response) override {
        if (answer_) std::exchange(answer_, nullptr)(std::move(response));
    }

    /// The caller has gone.
    void cancel() {
        cancelled_ = true;
        if (closure_) std::exchange(closure_, nullptr)();
    }
    /// The server has gone: its closures must not run any more, nor may it answer.
    void forget() {
        closure_ = nullptr;
        answer_ = nullptr;
    }

private:
    std::string request_;
    Network::Headers headers_;
    Timestamp deadline_;
    std::function<void(absl::StatusOr<std::string>)> answer_;
    bool cancelled_ = false;
    absl::AnyInvocable<void()> closure_;
};

bool is_uncertain(const absl::Status& status) {
    switch (status.code()) {
        case absl::StatusCode::kUnavailable:
        case absl::StatusCode::kDeadlineExceeded:
        case absl::StatusCode::kResourceExhausted:
        case absl::StatusCode::kCancelled: return true;
        default: return false;
    }
}

Network::Network(env::SimEnv& sim, Peer& server, const Options& options)
    : sim_(sim), server_(server), options_(options), executor_(sim.make_executor("callers")) {}

Network::~Network() = default;

bool Network::chance(std::uint64_t one_in) {
    return !healed_ && one_in != 0 && random().next() % one_in == 0;
}

Duration Network::delay() {
    const int most = healed_ ? 1 : options_.delay_ms_max;
    // Longer than a brief poll lasts, at times.
    if (STELE_FAULT("network.slow-message")) return std::chrono::milliseconds(1'200);
    return std::chrono::microseconds(100 + random().next() % (static_cast<unsigned>(most) * 1000));
}

void Network::after(Duration delay, std::function<void()> action) {
    executor_->run_at(sim_.now() + delay, [action = std::move(action)] { action(); });
}

Network::CallId Network::call(const std::string& method, const google::protobuf::Message& request,
                              Duration timeout, Done done, Headers headers) {
    auto call = std::make_shared<PendingCall>();
    call->id = ++last_id_;
    call->path = method.starts_with('/') ? method : kService + method;
    call->request = request.SerializeAsString();
    call->headers = std::move(headers);
    call->deadline = sim_.now() + timeout;
    call->done = std::move(done);
    call->timer = executor_->run_at(call->deadline, [this, id = call->id] {
        end(id, deadline_exceeded("the caller's deadline"));
    });
    pending_[call->id] = call;
    send(call);
    if (chance(options_.repeat_request)) send(call);
    return call->id;
}

void Network::send(const std::shared_ptr<PendingCall>& call) {
    if (chance(options_.lose_request)) return;
    after(delay(),
          [this, call, incarnation = server_.incarnation()] { deliver(call, incarnation); });
}

void Network::deliver(const std::shared_ptr<PendingCall>& call, std::uint64_t incarnation) {
    if (!pending_.contains(call->id)) return;
    if (!server_.running() || server_.incarnation() != incarnation) {
        return end(call->id, unavailable("connection refused"));
    }
    sim_.trace(fmt::format("> {} {}", call->id, call->path));
    const auto delivery = std::make_shared<Delivery>(
        *call, [this, id = call->id](absl::StatusOr<std::string> response) {
            answered(id, std::move(response));
        });
    call->deliveries.push_back(delivery);
    server_.dispatch(call->path, delivery);
    // While the server has it in hand.
    if (STELE_FAULT("network.caller-gone")) {
        after(Duration::zero(), [this, id = call->id] { abandon(id); });
    }
}

void Network::answered(CallId id, absl::StatusOr<std::string> response) {
    if (chance(options_.lose_reply)) return;
    if (STELE_FAULT("network.connection-reset")) response = unavailable("connection reset");
    const auto call = pending_.find(id);
    if (call == pending_.end()) return;
    call->second->answered = true;
    if (response.ok() && chance(options_.power_lost_behind_answer)) {
        // The answer is on its way already: the caller is told, whatever becomes of the server.
        for (const auto& delivery : call->second->deliveries) delivery->forget();
        call->second->deliveries.clear();
        power_is_to_go_ = true;
    }
    after(delay(), [this, id, response = std::move(response)] { end(id, response); });
}

void Network::end(CallId id, absl::StatusOr<std::string> response) {
    const auto found = pending_.find(id);
    if (found == pending_.end()) return;
    const std::shared_ptr<PendingCall> call = found->second;
    pending_.erase(found);
    executor_->cancel(call->timer);
    sim_.trace(fmt::format("< {} {}", id, static_cast<int>(response.status().code())));
    for (const auto& delivery : call->deliveries) delivery->cancel();
    call->done(std::move(response));
}

void Network::has_left_server() {
    if (options_.power_lost_behind_answer != 0 && chance(kPowerLostBehindOthers)) {
        power_is_to_go_ = true;
    }
}

bool Network::abandon_unanswered(CallId id) {
    const auto call = pending_.find(id);
    if (call == pending_.end() || call->second->answered) return false;
    abandon(id);
    return true;
}

void Network::break_connections() {
    for (auto& [id, call] : pending_) {
        for (const auto& delivery : call->deliveries) delivery->forget();
        if (call->deliveries.empty()) continue;
        call->deliveries.clear();
        after(delay(), [this, lost = id] { end(lost, unavailable("connection reset")); });
    }
}

}  // namespace stele::sim
