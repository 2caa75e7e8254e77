#pragma once

#include "matching/queue_settings.h"

namespace stele::matching {

/// For tests: the same for every queue, until it is changed.
class FixedQueueSettings final : public QueueSettingsSource {
public:
    QueueSettings settings(const shard::QueueId&) const override { return now; }
    QueueConfig config(const shard::QueueId&) const override { return set; }
    std::uint64_t version() const override { return changes; }

    QueueSettings now;
    QueueConfig set;
    std::uint64_t changes = 0;
};

}  // namespace stele::matching
