#pragma once

#include "env/env.h"
#include "shard/commit.h"

#include <compare>
#include <set>

// When runs want to be woken. The store has one alarm row per run; memory holds those of the next
// minutes only, and reads on when their time comes near, so a million sleeping runs cost nothing.
// An alarm that rings finds the run, lets it do what is due, and the run's next deadline follows.
namespace stele::shard {

class Shard;

/// Not thread safe: belongs to its shard's executor.
class Alarms {
public:
    explicit Alarms(Shard& shard) : shard_(shard) {}

    /// Reads the alarms of the next minutes.
    absl::Status recover();
    /// Sets the clock.
    void begin() { arm(); }
    /// A commit has moved the alarm row of a run.
    void moved(RunAddress run, const AlarmChange& change);
    void stop();

    std::size_t waiting() const { return waiting_.size(); }

private:
    struct Entry {
        Timestamp time;
        RunAddress run;
        auto operator<=>(const Entry&) const = default;
    };

    absl::Status read(Timestamp from, Timestamp to);
    void extend();
    void arm();
    void ring();
    void wake(const Entry& entry);

    Shard& shard_;
    std::set<Entry> waiting_;
    Timestamp horizon_{};  // every alarm before it is in `waiting_`
    bool extending_ = false;
    bool stopped_ = false;
    env::TimerId timer_ = 0;
    Timestamp timer_time_ = kNever;
};

}  // namespace stele::shard
