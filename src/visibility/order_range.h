#pragma once

#include "visibility/filter/filter.h"

#include <cstdint>
#include <limits>

// Lists are in the order of the time of the close, with the runs first that are open. What a filter says of
// status and close is therefore a piece of that order, and whoever looks for closed runs need not go past
// all the open ones.
namespace stele::visibility {

/// Where open runs stand in the order of lists; others at the nanosecond of their close.
inline constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

/// A piece of the order of lists, both ends included; with first > last it is empty.
struct OrderRange {
    std::int64_t first = std::numeric_limits<std::int64_t>::min();
    std::int64_t last = kEndOfTime;

    bool operator==(const OrderRange&) const = default;
};

/// A piece that holds every run for which the filter holds, and others maybe. Pure.
OrderRange order_range(const filter::Node& where);

}  // namespace stele::visibility
