#include "env/posix/posix_env.h"

#include "base/check.h"
#include "env/posix/loop.h"
#include "env/posix/posix_random.h"

#include <time.h>

#include <atomic>
#include <utility>
#include <vector>

namespace stele::env {
namespace {

/// An executor with a loop, and so a thread, of its own.
class OwnThread final : public Executor {
public:
    explicit OwnThread(const std::string& name) : loop_(name), strand_(loop_.make_strand(name)) {}

    void post(Closure closure) override { strand_->post(std::move(closure)); }
    void post_all(std::vector<Closure> closures) override {
        strand_->post_all(std::move(closures));
    }
    TimerId run_at(Timestamp when, Closure closure) override {
        return strand_->run_at(when, std::move(closure));
    }
    void cancel(TimerId timer) override { strand_->cancel(timer); }
    bool is_current() const override { return strand_->is_current(); }
    void stop() override { strand_->stop(); }

private:
    Loop loop_;
    std::unique_ptr<Executor> strand_;
};

class PosixEnvImpl final : public PosixEnv {
public:
    explicit PosixEnvImpl(int loops) {
        for (int i = 0; i < loops; ++i) {
            loops_.push_back(
                std::make_unique<Loop>("loop-" + std::to_string(i), Loop::Clock::kKept));
        }
    }

    Timestamp now() override { return loop_clock(); }
    Random& random() override { return random_; }

    std::unique_ptr<Executor> make_executor(std::string name) override {
        const std::size_t turn = next_.fetch_add(1, std::memory_order_relaxed);
        return loops_[turn % loops_.size()]->make_strand(std::move(name));
    }
    std::unique_ptr<Executor> make_blocking_executor(std::string name) override {
        return std::make_unique<OwnThread>(name);
    }

    std::vector<Loop*> loops() override {
        std::vector<Loop*> result;
        for (const auto& loop : loops_) result.push_back(loop.get());
        return result;
    }

private:
    PosixRandom random_;
    std::vector<std::unique_ptr<Loop>> loops_;
    std::atomic<std::size_t> next_ = 0;
};

}  // namespace

Timestamp wall_clock() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return Timestamp(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

std::unique_ptr<PosixEnv> make_posix_env(int loops) {
    STELE_CHECK(loops > 0, "an environment needs a loop");
    return std::make_unique<PosixEnvImpl>(loops);
}

}  // namespace stele::env
