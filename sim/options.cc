#include "sim/options.h"

#include <fmt/format.h>

namespace stele::sim {
namespace {

/// 0 for half of the seeds, otherwise between the two.
std::uint64_t sometimes(env::SimRandom& random, std::uint64_t least, std::uint64_t most) {
    const std::uint64_t value = least + random.next() % (most - least + 1);
    return random.next() % 2 == 0 ? value : 0;
}

}  // namespace

Options draw_options(std::uint64_t seed) {
    env::SimRandom random(seed * 2 + 1);
    Options options;
    options.seed = seed;
    options.lose_request = sometimes(random, 5, 100);
    options.lose_reply = sometimes(random, 5, 100);
    options.repeat_request = sometimes(random, 5, 100);
    options.delay_ms_max = static_cast<int>(1 + random.next() % 50);
    options.crash_every = static_cast<int>(sometimes(random, 2, 20));
    options.power_loss_every = static_cast<int>(sometimes(random, 2, 20));
    options.drop_task = sometimes(random, 5, 50);
    options.fail_workflow_task = sometimes(random, 5, 50);
    options.fail_activity = sometimes(random, 3, 20);
    options.forget_cache = sometimes(random, 3, 30);
    options.sticky = random.next() % 2 == 0;
    options.heartbeat_tasks = random.next() % 4 == 0;
    options.shards = static_cast<int>(1 + random.next() % 4);
    options.workflows = static_cast<int>(3 + random.next() % 10);
    options.faulty_seconds = static_cast<int>(10 + random.next() % 110);
    options.abandon_poll = sometimes(random, 3, 20);
    options.workers = static_cast<int>(1 + random.next() % 2);
    options.window = random.next() % 4 == 0 ? 10'000 : 1 + random.next() % 8;
    options.crowd = static_cast<int>(sometimes(random, 10, 40));
    options.fairness = random.next() % 2 == 0;
    options.activities_per_second = static_cast<int>(sometimes(random, 2, 40));
    options.fault_points = random.next() % 4 != 0;
    options.power_lost_behind_answer = sometimes(random, 50, 1000);
    options.short_heartbeats = random.next() % 4 == 0;
    options.lasting_index = random.next() % 4 == 0;
    return options;
}

std::string describe(const Options& o) {
    return fmt::format(
        "seed {}: {} workflows on {} shards, {} s of faults; one in so many: request lost {}, "
        "reply lost {}, request repeated {}, task dropped {}, workflow task failed {}, activity "
        "failed {}, cache forgotten {}, poll abandoned {}; delay up to {} ms; crash every {} s, "
        "power loss every {} s, behind one of {} answers; {} workers, windows of {} tasks, a crowd "
        "of {}, activities a "
        "second "
        "{}, {}{}{}{}{}{}",
        o.seed, o.workflows, o.shards, o.faulty_seconds, o.lose_request, o.lose_reply,
        o.repeat_request, o.drop_task, o.fail_workflow_task, o.fail_activity, o.forget_cache,
        o.abandon_poll, o.delay_ms_max, o.crash_every, o.power_loss_every,
        o.power_lost_behind_answer, o.workers, o.window, o.crowd, o.activities_per_second,
        o.sticky ? "sticky queues" : "no sticky queues",
        o.heartbeat_tasks ? ", workflow task heartbeats" : "", o.fairness ? ", fair queues" : "",
        o.short_heartbeats ? ", short heartbeats" : "", o.lasting_index ? ", a lasting index" : "",
        o.fault_points ? ", fault points" : "");
}

}  // namespace stele::sim
