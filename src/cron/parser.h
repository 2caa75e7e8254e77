#pragma once

#include "cron/schedule.h"

#include <string>

namespace stele::cron {

/// Reads one schedule. Used by Schedule::parse only.
class Parser {
public:
    static absl::StatusOr<Schedule> parse(std::string_view text);

private:
    static absl::Status read_fields(std::string_view text, Schedule& schedule);
    static absl::Status read_descriptor(std::string_view text, Schedule& schedule);
};

/// "1h30m" and its like: numbers with units from "ns" to "h", perhaps with a fraction or a sign.
/// nullopt when it is none or too long to count.
std::optional<Duration> parse_interval(std::string_view text);

}  // namespace stele::cron
