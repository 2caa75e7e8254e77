#include "fuzz/target.h"

#include "cron/schedule.h"

// Any bytes as a cron schedule: it is refused by name, or its moments come one after the other.
STELE_FUZZ_TARGET(cron) {
    const auto schedule = stele::cron::Schedule::parse(input);
    if (!schedule.ok()) {
        STELE_CHECK(schedule.status().code() == absl::StatusCode::kInvalidArgument,
                    "a schedule is refused as something else than an invalid argument");
        STELE_CHECK(!stele::message_of(schedule.status()).empty(), "no word about what is wrong");
        return;
    }
    stele::Timestamp time(std::chrono::hours(500'000));
    for (int i = 0; i < 5; ++i) {
        const auto next = schedule->next(time);
        if (!next) break;
        STELE_CHECK(*next > time, "the next moment is not later");
        time = *next;
    }
}
