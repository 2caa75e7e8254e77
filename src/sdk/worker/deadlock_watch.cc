#include "sdk/worker/deadlock_watch.h"

#include <utility>

namespace stele::sdk {

namespace {

class BlockingExecutor final : public Executor {
public:
    explicit BlockingExecutor(std::shared_ptr<Runtime> runtime) : runtime_(std::move(runtime)) {}
    void post(std::function<void()> work) override { runtime_->run_blocking(std::move(work)); }

private:
    std::shared_ptr<Runtime> runtime_;
};

}  // namespace

DeadlockWatch::DeadlockWatch(const std::shared_ptr<Runtime>& runtime, Milliseconds limit,
                             std::function<void()> stuck)
    : over_(std::make_shared<std::atomic<bool>>(false)) {
    if (limit.count() <= 0) return;
    timer_ = runtime->start_timer(limit, std::make_shared<BlockingExecutor>(runtime),
                                  [over = over_, stuck = std::move(stuck)] {
                                      if (!over->exchange(true)) stuck();
                                  });
}

DeadlockWatch::~DeadlockWatch() { over_->store(true); }

}  // namespace stele::sdk
