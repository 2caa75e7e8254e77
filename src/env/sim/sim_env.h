#pragma once

#include "env/env.h"
#include "env/sim/sim_random.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// The Env of simulation: one thread, a virtual clock, and one seed that decides everything else.
// Closures of one executor run in the order of their posts; which executor runs next is drawn from
// the seed. Time moves only when something runs or when everything waits.
//
// A SimProcess is the Env of one simulated process. It can be killed: nothing that it has posted or
// set a timer for runs afterwards, as after kill -9. The SimEnv itself is the Env of what can not
// crash, such as the checker of a test.
namespace stele::env {

class SimExecutor;
class SimProcess;

struct SimOptions {
    std::uint64_t seed = 0;
    Timestamp start{std::chrono::hours(24 * 365 * 55)};
    /// Virtual time that one closure takes.
    Duration step = std::chrono::microseconds(1);
    /// How long a closure of a blocking executor takes: drawn between the two, evenly ...
    Duration blocking_min = std::chrono::microseconds(50);
    Duration blocking_max = std::chrono::milliseconds(2);
    /// ... but one in `slow_one_in` (0: none) takes `slow` instead.
    std::uint64_t slow_one_in = 200;
    Duration slow = std::chrono::milliseconds(100);
};

/// Not thread safe. Must outlive its processes and executors.
class SimEnv final : public Env {
public:
    explicit SimEnv(const SimOptions& options);
    ~SimEnv() override;

    // What the code under test sees, when it is not part of a process.
    Timestamp now() override;
    Random& random() override { return random_; }
    std::unique_ptr<Executor> make_executor(std::string name) override;
    std::unique_ptr<Executor> make_blocking_executor(std::string name) override;

    /// A process of the simulation with random numbers of its own.
    std::unique_ptr<SimProcess> make_process(std::string name);

    // What the driver of the simulation uses; never call these from inside a closure.

    /// Runs one closure; when none is ready, goes forward to the next moment at which one is. False
    /// when nothing is left, or nothing before kNever.
    bool run_one();
    /// Runs everything that is due at or before `moment`, then stands there.
    void run_until(Timestamp moment);
    void run_for(Duration duration);
    /// Runs until the condition holds; false when it did not within `limit`.
    bool run_until(const std::function<bool()>& condition, Duration limit);

    /// Virtual time since the start. Never jumps.
    Duration elapsed() const { return elapsed_; }
    /// Closures that have run so far.
    std::uint64_t steps() const { return steps_; }
    const SimOptions& options() const { return options_; }

    /// Mixes something into the trace, such as a message that was sent.
    void trace(std::string_view text);
    /// Sums up everything that happened: the same for every run of one seed and program.
    std::uint64_t trace_hash() const { return trace_hash_; }

    /// Receives every step and every traced text, to compare two runs or to read a failing one.
    void set_trace_sink(std::function<void(const std::string&)> sink);

    /// Random numbers for faults and workload, apart from those of the code under test.
    SimRandom& fault_random() { return fault_random_; }

private:
    friend class SimExecutor;
    friend class SimProcess;

    std::unique_ptr<Executor> add_executor(SimProcess* process, std::string name, bool blocking);
    void remove_executor(SimExecutor& executor);
    std::vector<SimExecutor*> executors_of(const SimProcess& process) const;
    Duration blocking_delay();
    /// The earliest moment of `elapsed` at which anything can run; Duration::max() when never.
    Duration next_moment() const;
    void run_one_of_ready();
    void mix(std::uint64_t value);
    Timestamp wall_clock(const SimProcess* process) const;

    const SimOptions options_;
    SimRandom schedule_random_;
    SimRandom random_;
    SimRandom fault_random_;
    Duration elapsed_{};
    std::uint64_t steps_ = 0;
    std::uint64_t trace_hash_;
    std::uint64_t last_executor_ = 0;
    std::uint64_t processes_ = 0;
    SimExecutor* current_ = nullptr;
    std::function<void(const std::string&)> sink_;
    std::vector<SimExecutor*> executors_;  // in the order in which they were made
    std::vector<SimExecutor*> ready_;      // of one step; kept for its capacity
};

/// The Env of one incarnation of a process. To restart, make a new one. Not thread safe. Must
/// outlive its executors.
class SimProcess final : public Env {
public:
    ~SimProcess() override;

    /// The simulation's time, moved by this process's clock jumps.
    Timestamp now() override;
    Random& random() override { return random_; }
    std::unique_ptr<Executor> make_executor(std::string name) override;
    std::unique_ptr<Executor> make_blocking_executor(std::string name) override;

    /// Ends the process: destroys every queued closure and timer without running it, and ignores
    /// all that is posted from now on. The objects of the dead process may be destroyed afterwards,
    /// in peace. Not from one of its own closures.
    void kill();
    bool alive() const { return alive_; }

    /// Moves the process's wall clock. Timers follow it, as they do in production.
    void jump_clock(Duration offset);
    const std::string& name() const { return name_; }

private:
    friend class SimEnv;
    SimProcess(SimEnv& sim, std::string name, std::uint64_t seed);

    SimEnv& sim_;
    const std::string name_;
    SimRandom random_;
    Duration clock_offset_{};
    bool alive_ = true;
};

}  // namespace stele::env
