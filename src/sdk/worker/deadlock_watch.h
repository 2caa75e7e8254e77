#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "stele/runtime.h"

namespace stele::sdk {

/// Watches over workflow code, which must not keep its thread: when it has not come back within the
/// limit, `stuck` is called once, on a thread for blocking work, since all others may be stuck too.
/// Destroy it when the code has come back. A limit of zero or less watches nothing.
class DeadlockWatch {
public:
    DeadlockWatch(const std::shared_ptr<Runtime>& runtime, Milliseconds limit,
                  std::function<void()> stuck);
    DeadlockWatch(const DeadlockWatch&) = delete;
    ~DeadlockWatch();

private:
    std::shared_ptr<std::atomic<bool>> over_;
    std::unique_ptr<Runtime::Timer> timer_;
};

}  // namespace stele::sdk
