#pragma once

#include "env/sim/sim_env.h"

#include <deque>
#include <map>
#include <utility>

namespace stele::env {

/// A place in the simulation's schedule. Not thread safe.
class SimExecutor final : public Executor {
public:
    SimExecutor(SimEnv& sim, SimProcess* process, std::uint64_t id, std::string name,
                bool blocking);
    ~SimExecutor() override;

    void post(Closure closure) override;
    TimerId run_at(Timestamp when, Closure closure) override;
    void cancel(TimerId timer) override;
    bool is_current() const override;
    void stop() override;

    /// The moment of `SimEnv::elapsed` from which the next closure may run; Duration::max() when
    /// there is none.
    Duration next_moment() const;
    /// Takes out a closure that may run now; which one, when both the queue and a timer are ready,
    /// is drawn.
    Closure take(SimRandom& random);
    /// Takes out everything, for a process that is killed.
    void drop_all(std::vector<Closure>& dropped);

    std::uint64_t id() const { return id_; }
    const std::string& name() const { return name_; }
    SimProcess* process() const { return process_; }

private:
    struct Timer {
        Closure closure;
        std::uint64_t after;  // runs behind this many posted closures
    };

    bool accepts() const;
    Duration queue_moment() const;
    Duration timer_moment() const;
    void start_head();

    SimEnv& sim_;
    SimProcess* const process_;  // null: part of the simulation itself
    const std::uint64_t id_;
    const std::string name_;
    const bool blocking_;
    bool stopped_ = false;

    std::deque<Closure> queue_;
    Duration head_ready_{};  // when the first closure of the queue may run
    std::uint64_t posted_ = 0;
    std::uint64_t taken_ = 0;
    std::map<std::pair<Timestamp, TimerId>, Timer> timers_;
    std::map<TimerId, Timestamp> timer_times_;
    TimerId last_timer_ = 0;
};

}  // namespace stele::env
