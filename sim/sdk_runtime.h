#pragma once

#include "env/sim/sim_env.h"
#include "stele/runtime.h"

#include <memory>
#include <string>

// What the C++ SDK wants from the machine below it, as one process of the simulation.
namespace stele::sim {

/// The clock, the random numbers and the queues of one process, which can die. Not thread safe.
class SdkRuntime final : public Runtime {
public:
    SdkRuntime(env::SimEnv& sim, const std::string& name);
    /// Kills the process if it lives.
    ~SdkRuntime() override;

    /// As kill -9: nothing that was posted or set runs any more, and what comes later is ignored. Not
    /// from inside one of its own closures.
    void kill();
    bool alive() const;

    Time now() const override;
    std::uint64_t random() override;
    std::shared_ptr<Executor> make_executor() override;
    /// After a while, as if the work had taken it. Any number at a time.
    void run_blocking(std::function<void()> work) override;
    std::unique_ptr<Timer> start_timer(Milliseconds delay, std::shared_ptr<Executor> executor,
                                       std::function<void()> work) override;
    /// May be set, but nobody can wait for it: that would stop the one thread there is.
    std::unique_ptr<Event> make_event() override;

private:
    class Process;
    class Queue;
    class Alarm;
    class Flag;

    std::shared_ptr<Process> process_;
};

}  // namespace stele::sim
