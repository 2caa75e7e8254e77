#pragma once

#include "sdk/client/rpc.h"
#include "stele/runtime.h"

namespace stele::sdk {

/// The end of the time that a caller has for something that takes several long polls.
class Deadline {
public:
    /// A timeout of zero or less is no deadline.
    Deadline(const Runtime& runtime, Milliseconds timeout)
        : runtime_(runtime),
          end_(timeout.count() > 0 ? runtime.now() + timeout : Runtime::Time::max()) {}

    /// How the next long poll is to be made. Throws RpcError DEADLINE_EXCEEDED with the message when
    /// the time is over.
    RetrySettings long_poll(const char* message_when_over) const;

private:
    const Runtime& runtime_;
    Runtime::Time end_;
};

}  // namespace stele::sdk
