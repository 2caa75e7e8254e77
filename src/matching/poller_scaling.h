#pragma once

#include "matching/queue_settings.h"

#include <cstddef>
#include <cstdint>

namespace stele::matching {

/// What is known when a poll is answered.
struct PollerSituation {
    Timestamp now;
    Duration waited;         // by the poll that is answered
    std::size_t pollers = 1;
    std::size_t backlog = 0;
    Duration backlog_age{};
    double added_per_second = 0;
    double dispatched_per_second = 0;
};

/// Advises workers how many polls to keep open: fewer when polls wait long for tasks, more when tasks
/// wait for polls. Not thread safe.
class PollerScaling {
public:
    /// -1, 0 or 1. Advice to grow is given only so often, since all workers of a queue take it.
    std::int32_t advise(const QueueSettings& settings, const PollerSituation& situation);

private:
    bool may_advise(double per_second, Timestamp now);

    Timestamp next_{};
};

}  // namespace stele::matching
