#pragma once

#include <cstdint>

#include "sdk/core/activation.h"

namespace stele::core {

/// The event that a consequence points at; 0 when the event is not a consequence of a command.
std::int64_t initiating_event(const HistoryEvent& event);

/// Whether later events may point at this one. Timers are found by their id instead.
bool has_consequences(const HistoryEvent& event);

}  // namespace stele::core
