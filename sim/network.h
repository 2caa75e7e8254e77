#pragma once

#include "env/sim/sim_env.h"
#include "sim/options.h"
#include "sim/peer.h"

#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The network between callers and the server: it delays, loses, repeats and so reorders messages.
// A caller sees what it would see of gRPC: an answer, UNAVAILABLE when the server goes down, or its
// own deadline.
namespace stele::sim {

class PendingCall;

/// Errors after which nobody knows whether the call took effect.
bool is_uncertain(const absl::Status& status);

/// Not thread safe. Everything that callers do runs on one executor, which no crash stops.
class Network {
public:
    using Done = std::function<void(absl::StatusOr<std::string>)>;

    Network(env::SimEnv& sim, Peer& server, const Options& options);
    ~Network();

    /// What a patient caller waits before it asks again.
    static constexpr Duration kPatience = std::chrono::milliseconds(300);

    using CallId = std::uint64_t;
    using Headers = std::vector<std::pair<std::string, std::string>>;

    /// How callers introduce themselves. A person is shown only what is written of a history, other
    /// programs also the events of a task under way, and those may still change.
    static Headers person() { return {{"client-name", "temporal-cli"}}; }
    static Headers program() { return {{"client-name", "temporal-sim"}}; }

    /// Sends a request; `done` runs once. A method that is not one of WorkflowService has its whole
    /// path, beginning with a slash.
    CallId call(const std::string& method, const google::protobuf::Message& request,
                Duration timeout, Done done, Headers headers = person());

    /// The same with the answer parsed.
    template <typename Response>
    CallId call(const std::string& method, const google::protobuf::Message& request,
                Duration timeout, std::function<void(absl::StatusOr<Response>)> done,
                Headers headers = person()) {
        return call(method, request, timeout,
                    Done([done = std::move(done)](absl::StatusOr<std::string> bytes) {
                        if (!bytes.ok()) return done(bytes.status());
                        Response response;
                        if (!response.ParseFromString(*bytes)) {
                            return done(internal_error("an answer does not parse"));
                        }
                        done(std::move(response));
                    }),
                    std::move(headers));
    }

    /// The same by a patient caller, who sends the request again while nobody knows whether it took
    /// effect; `told` runs once, and never with such an error.
    template <typename Response, typename Request>
    void call_until_told(const std::string& method, const Request& request, Duration timeout,
                         std::function<void(absl::StatusOr<Response>)> told) {
        call<Response>(
            method, request, timeout, [=, this](absl::StatusOr<Response> response) mutable {
                if (response.ok() || !is_uncertain(response.status())) {
                    return told(std::move(response));
                }
                after(kPatience,
                      [=, this] { call_until_told<Response>(method, request, timeout, told); });
            });
    }

    /// The caller waits no longer; nothing happens if it was answered.
    void abandon(CallId id) { end(id, canceled("the caller has gone")); }

    /// The same unless the answer is on its way: then it is waited for. Whether it was not.
    bool abandon_unanswered(CallId id);

    /// Whether the power is to go now, just behind an answer that the server has sent.
    bool power_is_to_go() const { return power_is_to_go_; }
    void power_has_gone() { power_is_to_go_ = false; }
    /// Something has left the server on another way than an answer.
    void has_left_server();

    /// From now on nothing is lost, repeated or slow.
    void heal() { healed_ = true; }
    bool healed() const { return healed_; }
    /// The server's process has gone: every call under way fails.
    void break_connections();

    void after(Duration delay, std::function<void()> action);
    Timestamp now() { return sim_.now(); }
    env::SimRandom& random() { return sim_.fault_random(); }
    /// True for one in so many, never once healed; 0 is never.
    bool chance(std::uint64_t one_in);

private:
    void send(const std::shared_ptr<PendingCall>& call);
    void deliver(const std::shared_ptr<PendingCall>& call, std::uint64_t incarnation);
    void answered(CallId id, absl::StatusOr<std::string> response);
    void end(CallId id, absl::StatusOr<std::string> response);
    Duration delay();

    env::SimEnv& sim_;
    Peer& server_;
    const Options& options_;
    bool healed_ = false;
    bool power_is_to_go_ = false;
    CallId last_id_ = 0;
    std::map<CallId, std::shared_ptr<PendingCall>> pending_;
    std::unique_ptr<env::Executor> executor_;
};

}  // namespace stele::sim
