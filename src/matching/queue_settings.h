#pragma once

#include "base/time.h"
#include "shard/dispatch.h"
#include "temporal/api/taskqueue/v1/message.pb.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

// What may be set for a task queue: by dynamic configuration, whose keys stand beside the fields,
// and by operators through UpdateTaskQueueConfig.
namespace stele::matching {

/// Dynamic configuration. The defaults are those of the Temporal server.
struct QueueSettings {
    Duration long_poll = std::chrono::minutes(1);       // matching.longpollexpirationinterval
    Duration poller_history = std::chrono::minutes(5);  // matching.pollerhistoryttl
    // Temporal spreads a queue over partitions and limits each of them; here the one queue has the
    // limit of all partitions together.
    std::int32_t partitions = 4;               // matching.numtaskqueuereadpartitions
    double partition_dispatch_rate = 1'000;    // admin.matchingnamespacetaskqueuetopartitiondispatchrate
    double namespace_dispatch_rate = 10'000;   // admin.matchingnamespacetopartitiondispatchrate
    bool fairness = false;                     // matching.enablefairness
    std::size_t weight_overrides = 1'000;      // matching.maxfairnesskeyweightoverrides
    Duration scale_up_backlog_age = std::chrono::milliseconds(200);  // matching.pollerscalingminimumbacklog
    Duration scale_down_wait = std::chrono::seconds(1);     // matching.pollerscalingwaittime
    double scale_decisions_per_second = 10;                 // matching.pollerscalingdecisionspersecond
    double scale_up_add_ratio = 1.2;                        // matching.pollerscalingtaskaddtodispatchratio

    /// Tasks a second that the server lets out of the queue whatever else is set.
    double system_rate() const {
        return std::min(partition_dispatch_rate, namespace_dispatch_rate) * std::max(partitions, 1);
    }
};

/// What operators have set. Absent: nothing.
struct QueueConfig {
    std::optional<double> rate;          // tasks a second, in place of what workers ask for
    std::optional<double> rate_per_key;  // the same for each fairness key, times its weight
    std::map<std::string, float> weights;  // of fairness keys, in place of what tasks ask for
};

/// Finds what is set for a queue. Thread safe and quick enough to be asked at every poll.
class QueueSettingsSource {
public:
    virtual ~QueueSettingsSource() = default;
    virtual QueueSettings settings(const shard::QueueId& queue) const = 0;
    virtual QueueConfig config(const shard::QueueId& queue) const = 0;
    /// Grows whenever either of them has changed for any queue.
    virtual std::uint64_t version() const = 0;
};

}  // namespace stele::matching
