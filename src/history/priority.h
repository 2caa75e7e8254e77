#pragma once

#include "temporal/api/common/v1/message.pb.h"

#include <algorithm>
#include <cstdint>

// The priority of a task in its queue: 1 is served first, 5 last. Tasks that ask for none are in the
// middle. Pure.
namespace stele::history {

inline constexpr std::int32_t kHighestPriority = 1;
inline constexpr std::int32_t kDefaultPriority = 3;
inline constexpr std::int32_t kLowestPriority = 5;

/// A key beyond the lowest priority counts as the lowest.
inline std::int32_t queue_priority(const temporal::api::common::v1::Priority& priority) {
    if (priority.priority_key() <= 0) return kDefaultPriority;
    return std::min(priority.priority_key(), kLowestPriority);
}

}  // namespace stele::history
