#include "sim/sdk_runtime.h"

#include "base/check.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace stele::sim {
namespace {

/// Most work is short; some of it is longer than the tasks that wait for it.
constexpr std::uint64_t kShortWorkMs = 50;
constexpr std::uint64_t kLongWorkMs = 3'500;
constexpr std::uint64_t kLongOneIn = 8;

}  // namespace

/// Kept by all that posts, so that it can tell that the process has gone.
class SdkRuntime::Process {
public:
    Process(env::SimEnv& sim, const std::string& name)
        : process_(sim.make_process(name)), timers_(add_executor()), blocking_(add_executor()) {}
    ~Process() { kill(); }

    void kill() {
        if (!alive()) return;
        process_->kill();
        executors_.clear();
    }
    bool alive() const { return process_->alive(); }
    env::SimProcess& env() const { return *process_; }

    env::Executor* add_executor() {
        executors_.push_back(
            process_->make_executor(fmt::format("{}-{}", process_->name(), executors_.size())));
        return executors_.back().get();
    }
    /// Ignored in a dead process, whose executors are gone.
    void post(env::Executor* executor, std::function<void()> work) {
        if (alive()) executor->post(std::move(work));
    }
    env::TimerId run_at(Timestamp when, std::function<void()> work) {
        return alive() ? timers_->run_at(when, std::move(work)) : 0;
    }
    void run_after(Duration delay, std::function<void()> work) {
        if (alive()) blocking_->run_at(process_->now() + delay, std::move(work));
    }
    void cancel(env::TimerId timer) {
        if (alive()) timers_->cancel(timer);
    }

private:
    std::unique_ptr<env::SimProcess> process_;
    std::vector<std::unique_ptr<env::Executor>> executors_;
    env::Executor* timers_;
    env::Executor* blocking_;
};

class SdkRuntime::Queue final : public Executor {
public:
    explicit Queue(std::shared_ptr<Process> process)
        : process_(std::move(process)), executor_(process_->add_executor()) {}

    void post(std::function<void()> work) override { process_->post(executor_, std::move(work)); }

private:
    std::shared_ptr<Process> process_;
    env::Executor* executor_;
};

class SdkRuntime::Alarm final : public Timer {
public:
    Alarm(std::weak_ptr<Process> process, env::TimerId timer)
        : process_(std::move(process)), timer_(timer) {}
    ~Alarm() override {
        if (const auto process = process_.lock()) process->cancel(timer_);
    }

private:
    std::weak_ptr<Process> process_;
    env::TimerId timer_;
};

class SdkRuntime::Flag final : public Event {
public:
    void set() override { set_ = true; }
    void wait() override { STELE_CHECK(set_, "the one thread of a simulation would wait"); }
    bool wait_for(Milliseconds) override {
        wait();
        return true;
    }

private:
    bool set_ = false;
};

SdkRuntime::SdkRuntime(env::SimEnv& sim, const std::string& name)
    : process_(std::make_shared<Process>(sim, name)) {}

SdkRuntime::~SdkRuntime() { kill(); }

void SdkRuntime::kill() { process_->kill(); }

bool SdkRuntime::alive() const { return process_->alive(); }

Runtime::Time SdkRuntime::now() const { return Time(process_->env().now().time_since_epoch()); }

std::uint64_t SdkRuntime::random() { return process_->env().random().next(); }

std::shared_ptr<Executor> SdkRuntime::make_executor() { return std::make_shared<Queue>(process_); }

void SdkRuntime::run_blocking(std::function<void()> work) {
    const std::uint64_t most = random() % kLongOneIn == 0 ? kLongWorkMs : kShortWorkMs;
    process_->run_after(std::chrono::milliseconds(random() % most), std::move(work));
}

std::unique_ptr<Runtime::Timer> SdkRuntime::start_timer(Milliseconds delay,
                                                        std::shared_ptr<Executor> executor,
                                                        std::function<void()> work) {
    const env::TimerId timer = process_->run_at(
        process_->env().now() + delay,
        [executor = std::move(executor), work = std::move(work)] { executor->post(work); });
    return std::make_unique<Alarm>(process_, timer);
}

std::unique_ptr<Runtime::Event> SdkRuntime::make_event() { return std::make_unique<Flag>(); }

}  // namespace stele::sim
