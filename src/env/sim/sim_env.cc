#include "env/sim/sim_env.h"

#include "base/check.h"
#include "env/sim/sim_executor.h"

#include <algorithm>
#include <utility>

namespace stele::env {
namespace {

/// Streams of one seed that must not follow each other.
enum Stream : std::uint64_t { kSchedule = 1, kProgram = 2, kFaults = 3, kProcesses = 100 };

std::uint64_t stream_seed(std::uint64_t seed, std::uint64_t stream) {
    return SimRandom::finalize(seed ^ SimRandom::finalize(stream));
}

}  // namespace

// ---- SimEnv ------------------------------------------------------------------------------------

SimEnv::SimEnv(const SimOptions& options)
    : options_(options),
      schedule_random_(stream_seed(options.seed, kSchedule)),
      random_(stream_seed(options.seed, kProgram)),
      fault_random_(stream_seed(options.seed, kFaults)),
      trace_hash_(options.seed) {}

SimEnv::~SimEnv() { STELE_CHECK(executors_.empty(), "an executor outlives its simulation"); }

Timestamp SimEnv::now() { return wall_clock(nullptr); }

Timestamp SimEnv::wall_clock(const SimProcess* process) const {
    const Duration offset = process == nullptr ? Duration::zero() : process->clock_offset_;
    return options_.start + elapsed_ + offset;
}

std::unique_ptr<Executor> SimEnv::make_executor(std::string name) {
    return add_executor(nullptr, std::move(name), false);
}

std::unique_ptr<Executor> SimEnv::make_blocking_executor(std::string name) {
    return add_executor(nullptr, std::move(name), true);
}

std::unique_ptr<SimProcess> SimEnv::make_process(std::string name) {
    const std::uint64_t seed = stream_seed(options_.seed, kProcesses + ++processes_);
    return std::unique_ptr<SimProcess>(new SimProcess(*this, std::move(name), seed));
}

std::unique_ptr<Executor> SimEnv::add_executor(SimProcess* process, std::string name,
                                               bool blocking) {
    auto executor =
        std::make_unique<SimExecutor>(*this, process, ++last_executor_, std::move(name), blocking);
    executors_.push_back(executor.get());
    return executor;
}

void SimEnv::remove_executor(SimExecutor& executor) { std::erase(executors_, &executor); }

std::vector<SimExecutor*> SimEnv::executors_of(const SimProcess& process) const {
    std::vector<SimExecutor*> result;
    std::copy_if(executors_.begin(), executors_.end(), std::back_inserter(result),
                 [&process](SimExecutor* executor) { return executor->process() == &process; });
    return result;
}

Duration SimEnv::blocking_delay() {
    if (schedule_random_.one_in(options_.slow_one_in)) return options_.slow;
    const auto spread = (options_.blocking_max - options_.blocking_min).count();
    return options_.blocking_min + Duration(static_cast<std::int64_t>(schedule_random_.below(
                                       static_cast<std::uint64_t>(spread) + 1)));
}

Duration SimEnv::next_moment() const {
    Duration next = Duration::max();
    for (const SimExecutor* executor : executors_) next = std::min(next, executor->next_moment());
    return next;
}

bool SimEnv::run_one() {
    STELE_CHECK(current_ == nullptr, "the simulation is driven from inside a closure");
    const Duration next = next_moment();
    if (next == Duration::max()) return false;
    elapsed_ = std::max(elapsed_, next);
    run_one_of_ready();
    return true;
}

void SimEnv::run_one_of_ready() {
    ready_.clear();
    for (SimExecutor* executor : executors_) {
        if (executor->next_moment() <= elapsed_) ready_.push_back(executor);
    }
    SimExecutor& executor = *ready_[schedule_random_.below(ready_.size())];
    mix(executor.id());
    mix(static_cast<std::uint64_t>(elapsed_.count()));
    if (sink_) {
        const std::string process = executor.process() ? executor.process()->name() + "/" : "";
        sink_(std::to_string(elapsed_.count()) + " " + process + executor.name());
    }
    Closure closure = executor.take(schedule_random_);
    current_ = &executor;
    closure();
    closure = nullptr;  // what it holds dies while it still counts as running
    current_ = nullptr;
    elapsed_ += options_.step;
    ++steps_;
}

void SimEnv::run_until(Timestamp moment) {
    const Duration target = moment - options_.start;
    while (next_moment() <= target && run_one()) continue;
    elapsed_ = std::max(elapsed_, target);
}

void SimEnv::run_for(Duration duration) { run_until(now() + duration); }

bool SimEnv::run_until(const std::function<bool()>& condition, Duration limit) {
    const Duration target = elapsed_ + limit;
    while (!condition()) {
        if (next_moment() > target) {
            elapsed_ = std::max(elapsed_, target);
            return condition();
        }
        run_one();
    }
    return true;
}

void SimEnv::mix(std::uint64_t value) {
    trace_hash_ = SimRandom::finalize(trace_hash_ * 31 + value + 1);
}

void SimEnv::trace(std::string_view text) {
    mix(text.size());
    for (const char byte : text) mix(static_cast<unsigned char>(byte));
    if (sink_) sink_("  " + std::string(text));
}

void SimEnv::set_trace_sink(std::function<void(const std::string&)> sink) {
    sink_ = std::move(sink);
}

// ---- SimProcess --------------------------------------------------------------------------------

SimProcess::SimProcess(SimEnv& sim, std::string name, std::uint64_t seed)
    : sim_(sim), name_(std::move(name)), random_(seed) {}

SimProcess::~SimProcess() {
    STELE_CHECK(sim_.executors_of(*this).empty(), "an executor outlives its process " + name_);
}

Timestamp SimProcess::now() { return sim_.wall_clock(this); }

std::unique_ptr<Executor> SimProcess::make_executor(std::string name) {
    return sim_.add_executor(this, std::move(name), false);
}

std::unique_ptr<Executor> SimProcess::make_blocking_executor(std::string name) {
    return sim_.add_executor(this, std::move(name), true);
}

void SimProcess::kill() {
    STELE_CHECK(sim_.current_ == nullptr || sim_.current_->process() != this,
                "process " + name_ + " is killed by its own closure");
    sim_.trace("kill " + name_);
    alive_ = false;
    // First all are taken out, then they are destroyed: a closure may hold the last reference to
    // an executor.
    std::vector<Closure> dropped;
    for (SimExecutor* executor : sim_.executors_of(*this)) executor->drop_all(dropped);
}

void SimProcess::jump_clock(Duration offset) {
    sim_.trace("clock of " + name_ + " jumps by " + std::to_string(offset.count()));
    clock_offset_ += offset;
}

}  // namespace stele::env
