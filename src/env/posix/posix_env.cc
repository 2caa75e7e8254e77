#include "env/posix/posix_env.h"

#include "env/posix/posix_random.h"
#include "env/posix/thread_executor.h"

#include <time.h>

#include <utility>

namespace stele::env {
namespace {

class PosixEnv final : public Env {
public:
    Timestamp now() override { return wall_clock(); }
    Random& random() override { return random_; }

    std::unique_ptr<Executor> make_executor(std::string name) override {
        return std::make_unique<ThreadExecutor>(std::move(name));
    }

    std::unique_ptr<Executor> make_blocking_executor(std::string name) override {
        return make_executor(std::move(name));
    }

private:
    PosixRandom random_;
};

}  // namespace

Timestamp wall_clock() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return Timestamp(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

std::unique_ptr<Env> make_posix_env() { return std::make_unique<PosixEnv>(); }

}  // namespace stele::env
