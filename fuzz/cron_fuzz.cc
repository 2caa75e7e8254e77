#include "cron/schedule.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// Any bytes as a cron schedule: it is refused, or its moments come one after the other.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto schedule = stele::cron::Schedule::parse(text);
    if (!schedule.ok()) return 0;
    stele::Timestamp time(std::chrono::hours(500'000));
    for (int i = 0; i < 10; ++i) {
        const auto next = schedule->next(time);
        if (!next) break;
        if (*next <= time) std::abort();
        time = *next;
    }
    return 0;
}
