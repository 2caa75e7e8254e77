#include "sim/sdk_options.h"

#include "env/sim/sim_random.h"
#include "sim/options.h"

#include <fmt/format.h>

namespace stele::sim {
namespace {

constexpr std::uint64_t kStream = 0x5344'4B00'0000'0001u;  // another one than that of Options

/// 0 for half of the seeds, otherwise between the two.
int sometimes(env::SimRandom& random, std::uint64_t least, std::uint64_t most) {
    const std::uint64_t value = least + random.next() % (most - least + 1);
    return static_cast<int>(random.next() % 2 == 0 ? value : 0);
}

}  // namespace

SdkOptions draw_sdk_options(std::uint64_t seed) {
    env::SimRandom random(seed ^ kStream);
    SdkOptions options;
    if (random.next() % 3 != 0) return options;
    options.workers = static_cast<int>(1 + random.next() % 2);
    options.workflows = static_cast<int>(2 + random.next() % 5);
    options.cached_runs = sometimes(random, 1, 12);
    options.activity_slots = static_cast<int>(1 + random.next() % 6);
    options.death_every = sometimes(random, 3, 20);
    const Options others = draw_options(seed);
    options.fail_activity = others.fail_activity;
    options.start_within = others.faulty_seconds / 2;
    return options;
}

std::string describe(const SdkOptions& o) {
    if (o.workers == 0) return "no workers of the SDK";
    return fmt::format(
        "{} workflows on {} workers of the SDK, each of which keeps {} runs, does {} activities at "
        "a time and dies every {} s",
        o.workflows, o.workers, o.cached_runs, o.activity_slots, o.death_every);
}

}  // namespace stele::sim
