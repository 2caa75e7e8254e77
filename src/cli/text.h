#pragma once

#include "base/status.h"
#include "base/time.h"

#include <optional>
#include <string>

// Times and durations as people write and read them. Plain functions, safe from any thread.
namespace stele::cli {

enum class TimeFormat { kRelative, kIso, kRaw };

/// "90s", "1h30m", "1.5d", "250ms": numbers with units, the largest unit being the day.
/// INVALID_ARGUMENT otherwise, with a message that names the text.
absl::StatusOr<Duration> parse_duration(const std::string& text);
/// "1h30m0s", "2.05s", "0s"; to the millisecond.
std::string duration_text(Duration duration);

/// "2026-01-31T12:00:00Z", with a fraction where there is one.
std::string iso_time(Timestamp time);
/// "3 minutes ago", "in 2 hours", "now".
std::string relative_time(Timestamp time, Timestamp now);
/// In the given format; empty for kUnset.
std::string time_text(Timestamp time, TimeFormat format, Timestamp now);

/// "WorkflowExecutionStarted" for WORKFLOW_EXECUTION_STARTED, once `prefix` has been taken off.
std::string camel_case(const std::string& enum_name, const std::string& prefix);
/// "WORKFLOW_EXECUTION_STARTED" for "WorkflowExecutionStarted".
std::string screaming_case(const std::string& name);

}  // namespace stele::cli
