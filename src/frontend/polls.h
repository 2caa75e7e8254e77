#pragma once

#include "base/time.h"

#include <algorithm>

// When a poll that finds nothing is answered.
namespace stele::frontend {

/// The answer leaves this long before the caller's deadline, so that it still arrives.
inline constexpr Duration kPollTailRoom = std::chrono::seconds(1);
inline constexpr Duration kLongestPoll = std::chrono::seconds(60);

inline Timestamp poll_expiry(Timestamp deadline, Timestamp now) {
    return std::min(deadline - kPollTailRoom, now + kLongestPoll);
}

}  // namespace stele::frontend
