#include "env/sim/sim_executor.h"

#include "base/check.h"

#include <algorithm>

namespace stele::env {
namespace {

/// What a step of the trace is about.
enum TraceKind : std::uint64_t { kPost = 1, kTimerSet = 2 };

}  // namespace

SimExecutor::SimExecutor(SimEnv& sim, SimProcess* process, std::uint64_t id, std::string name,
                         bool blocking)
    : sim_(sim), process_(process), id_(id), name_(std::move(name)), blocking_(blocking) {}

SimExecutor::~SimExecutor() {
    stop();
    sim_.remove_executor(*this);
}

void SimExecutor::stop() {
    STELE_CHECK(!is_current(), "executor " + name_ + " is stopped by its own closure");
    stopped_ = true;
    std::vector<Closure> dropped;
    drop_all(dropped);
}

void SimExecutor::post(Closure closure) {
    if (!accepts()) return;
    sim_.mix(kPost);
    sim_.mix(id_);
    queue_.push_back(std::move(closure));
    ++posted_;
    if (queue_.size() == 1) start_head();
}

TimerId SimExecutor::run_at(Timestamp when, Closure closure) {
    const TimerId id = ++last_timer_;
    if (!accepts()) return id;
    sim_.mix(kTimerSet);
    sim_.mix(id_);
    sim_.mix(static_cast<std::uint64_t>(when.time_since_epoch().count()));
    timer_times_.emplace(id, when);
    timers_.emplace(std::pair(when, id), Timer{std::move(closure), posted_});
    return id;
}

void SimExecutor::cancel(TimerId timer) {
    const auto time = timer_times_.find(timer);
    if (time == timer_times_.end()) return;
    const auto place = timers_.find(std::pair(time->second, timer));
    const Closure dropped = std::move(place->second.closure);
    timers_.erase(place);
    timer_times_.erase(time);
}

bool SimExecutor::is_current() const { return sim_.current_ == this; }

bool SimExecutor::accepts() const {
    return !stopped_ && (process_ == nullptr || process_->alive());
}

/// The first closure of the queue has just become that: a blocking one takes its time from now.
void SimExecutor::start_head() {
    head_ready_ = sim_.elapsed();
    if (blocking_) head_ready_ += sim_.blocking_delay();
}

Duration SimExecutor::queue_moment() const {
    return queue_.empty() ? Duration::max() : head_ready_;
}

Duration SimExecutor::timer_moment() const {
    if (timers_.empty()) return Duration::max();
    const auto& [key, timer] = *timers_.begin();
    if (key.first == kNever || timer.after > taken_) return Duration::max();
    const Timestamp now = sim_.wall_clock(process_);
    if (key.first <= now) return sim_.elapsed();
    return sim_.elapsed() + (key.first - now);
}

Duration SimExecutor::next_moment() const { return std::min(queue_moment(), timer_moment()); }

Closure SimExecutor::take(SimRandom& random) {
    const bool queue_ready = queue_moment() <= sim_.elapsed();
    const bool timer_ready = timer_moment() <= sim_.elapsed();
    STELE_CHECK(queue_ready || timer_ready, "executor " + name_ + " has nothing to run");
    if (timer_ready && (!queue_ready || random.one_in(2))) {
        const auto first = timers_.begin();
        Closure closure = std::move(first->second.closure);
        timer_times_.erase(first->first.second);
        timers_.erase(first);
        return closure;
    }
    Closure closure = std::move(queue_.front());
    queue_.pop_front();
    ++taken_;
    if (!queue_.empty()) start_head();
    return closure;
}

void SimExecutor::drop_all(std::vector<Closure>& dropped) {
    for (Closure& closure : std::exchange(queue_, {})) dropped.push_back(std::move(closure));
    for (auto& [key, timer] : std::exchange(timers_, {})) {
        dropped.push_back(std::move(timer.closure));
    }
    timer_times_.clear();
    taken_ = posted_;
}

}  // namespace stele::env
