#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "sdk/worker/context.h"
#include "sdk/worker/poller.h"
#include "sdk/worker/slots.h"
#include "stele/tuner.h"
#include "temporal/api/worker/v1/message.pb.h"

namespace stele::sdk {

/// Tells the server now and then how a worker is, which is what lists of workers show. A server that
/// does not know of that is asked once.
///
/// Lives on the worker's executor; not thread safe beyond it.
class Heartbeats : public std::enable_shared_from_this<Heartbeats> {
public:
    using Message = temporal::api::worker::v1::WorkerHeartbeat;
    /// Adds what the worker knows of its slots and pollers.
    using Describe = std::function<void(Message&)>;

    Heartbeats(std::shared_ptr<const WorkerContext> context, std::shared_ptr<Executor> executor,
               Describe describe);

    /// Sends the first one; an interval of zero sends none.
    void start();
    void stop();
    /// The last one, for the call that tells of the worker's end.
    Message last();

private:
    Message make(temporal::api::enums::v1::WorkerStatus status);
    void send();
    void schedule();

    std::shared_ptr<const WorkerContext> context_;
    std::shared_ptr<Executor> executor_;
    Describe describe_;
    ResourceReader resources_;
    Runtime::Time started_;
    std::optional<Runtime::Time> last_sent_;
    std::unique_ptr<Runtime::Timer> timer_;
    bool stopped_ = false;
};

void describe_slots(const Slots& slots, std::int64_t failed,
                    temporal::api::worker::v1::WorkerSlotsInfo& info);
void describe_poller(const Poller& poller, temporal::api::worker::v1::WorkerPollerInfo& info);

}  // namespace stele::sdk
