#include "sdk/client/deadline.h"

#include <algorithm>

#include "stele/errors.h"

namespace stele::sdk {

RetrySettings Deadline::long_poll(const char* message_when_over) const {
    RetrySettings settings = long_poll_retries();
    if (end_ == Runtime::Time::max()) return settings;
    const auto left = std::chrono::duration_cast<Milliseconds>(end_ - runtime_.now());
    if (left.count() <= 0) throw RpcError(kRpcDeadlineExceeded, message_when_over);
    settings.attempt_timeout = std::min(settings.attempt_timeout, left);
    settings.total = left;
    return settings;
}

}  // namespace stele::sdk
