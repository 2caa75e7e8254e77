#pragma once

#include "base/status.h"
#include "base/time.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace date {
class time_zone;
}  // namespace date

// Cron schedules as Temporal knows them: five fields (minute, hour, day of month, month, day of
// week) with lists, ranges, steps and names; "@daily" and its like; "@every 90s"; and a time zone in
// front ("CRON_TZ=Europe/Berlin 0 9 * * mon-fri"). Without one they are in UTC. Clocks that are put
// forward or back are treated as Temporal treats them, so that a schedule moved from there fires at
// the same moments.
namespace stele::cron {

/// A schedule that was understood. A plain value; thread safe.
class Schedule {
public:
    /// INVALID_ARGUMENT for anything that is not a schedule; the message says what is wrong. Any
    /// bytes may be given.
    static absl::StatusOr<Schedule> parse(std::string_view text);

    /// The first moment after `after`, in whole seconds; nullopt when none comes within five years.
    std::optional<Timestamp> next(Timestamp after) const;

    /// The first moment after `after` that is not before `now`. An "@every" counts from `after`.
    std::optional<Timestamp> next_not_before(Timestamp after, Timestamp now) const;

private:
    friend class Parser;

    std::uint64_t minutes_ = 0;
    std::uint64_t hours_ = 0;
    std::uint64_t days_of_month_ = 0;
    std::uint64_t months_ = 0;
    std::uint64_t days_of_week_ = 0;
    /// A day that is left open ("*") leaves the choice to the other field; otherwise either will do.
    bool any_day_of_month_ = false;
    bool any_day_of_week_ = false;
    const date::time_zone* zone_ = nullptr;  // null: UTC
    Duration interval_{};                    // of "@every"; zero for all others
};

/// Refuses what can not be followed, in the words that clients of Temporal know. An empty text is no
/// schedule and is fine.
absl::Status validate(std::string_view text, Timestamp now);

/// How long a run that is decided on at `now` waits, when the run before it was meant for
/// `scheduled`: until the next moment of the schedule that is not before now, in whole seconds rounded
/// up. nullopt when there is no schedule or no such moment.
std::optional<Duration> backoff(std::string_view text, Timestamp scheduled, Timestamp now);

}  // namespace stele::cron
