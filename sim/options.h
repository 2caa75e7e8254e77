#pragma once

#include "env/sim/sim_random.h"

#include <cstdint>
#include <string>

// What one seed decides before anything runs. Every fault is switched on or off as a whole first,
// and only then given its frequency: a run with few kinds of faults reaches deeper than one in which
// everything goes wrong all the time.
namespace stele::sim {

struct Options {
    std::uint64_t seed = 0;

    // The network; one in so many messages, 0 for never.
    std::uint64_t lose_request = 0;
    std::uint64_t lose_reply = 0;
    std::uint64_t repeat_request = 0;
    int delay_ms_max = 5;

    // The server's process and machine: gaps between two events, in seconds; 0 for never.
    int crash_every = 0;
    int power_loss_every = 0;
    std::uint64_t power_lost_behind_answer = 0;  // in one of so many

    // Workers; one in so many tasks.
    std::uint64_t drop_task = 0;
    std::uint64_t fail_workflow_task = 0;
    std::uint64_t fail_activity = 0;
    std::uint64_t forget_cache = 0;
    std::uint64_t abandon_poll = 0;
    bool sticky = false;
    bool heartbeat_tasks = false;
    int workers = 2;

    // Task queues.
    bool fairness = false;          // keys take turns
    int activities_per_second = 0;  // as workers ask for; 0: no limit

    int shards = 1;
    std::size_t window = 10'000;    // tasks of a queue that the server keeps in memory
    bool short_heartbeats = false;  // workflow tasks may be kept by heartbeats for a second only
    bool lasting_index = false;     // lists live in a file that restarts find again
    int workflows = 8;
    int faulty_seconds = 60;
    int crowd = 0;  // workflows that start all at once when nothing fails any more

    bool fault_points = true;  // those in the code, of which the seed activates some
};

/// The options of a seed; the same for ever, or an old seed would repeat another run.
Options draw_options(std::uint64_t seed);
std::string describe(const Options& options);

}  // namespace stele::sim
