#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <absl/container/btree_map.h>

#include "env/env.h"
#include "frontend/frontend.h"
#include "stele/transport.h"

namespace stele::embedded {

class InProcessCall;

/// What a client sees of an engine's error: the code, the text, and the detail that is attached to it.
Transport::Status to_transport_status(const absl::Status& status);

/// The calls of clients to an engine in the same process. Safe to use from any thread. It outlives the
/// engine: once closed, calls fail as with a server that is down.
class InProcessTransport final : public Transport,
                                 public std::enable_shared_from_this<InProcessTransport> {
public:
    struct Options {
        /// Given to every call in place of its own; nothing: its own.
        std::optional<Duration> call_timeout = {};
    };

    /// `env` and `frontend` are used until close().
    InProcessTransport(env::Env& env, const frontend::Frontend& frontend, const Options& options);
    ~InProcessTransport() override;

    std::shared_ptr<Call> call(std::string_view method,
                               std::shared_ptr<const google::protobuf::Message> request,
                               std::shared_ptr<google::protobuf::Message> reply,
                               const CallOptions& options, Callback done) override;

    /// Ends what is under way as UNAVAILABLE, and refuses what comes later in the same way.
    void close();

private:
    friend class InProcessCall;
    /// The deadline, and a number that tells calls of one deadline apart.
    using CallKey = std::pair<Timestamp, std::uint64_t>;

    void forget(const CallKey& key);
    /// Ends the calls whose deadline has come, and waits for that of the next one.
    void expire_due();
    // With the lock held: a timer rings no later than the first deadline, or none at all.
    void arm();
    void disarm();

    const Options options_;
    std::mutex mutex_;  // guards everything below
    std::condition_variable dispatched_;
    int dispatching_ = 0;  // calls that are being handed to the frontend
    env::Env* env_;        // null once closed
    const frontend::Frontend* frontend_;
    // One timer for all calls: hardly any lives until its deadline. It rings for nothing when the call has ended that
    // it was set for.
    std::unique_ptr<env::Executor> timers_;
    Timestamp armed_ = kNever;
    env::TimerId timer_ = 0;
    std::uint64_t calls_ = 0;
    absl::btree_map<CallKey, std::weak_ptr<InProcessCall>> open_;
};

}  // namespace stele::embedded
