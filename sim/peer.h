#pragma once

#include "frontend/call.h"

#include <cstdint>
#include <string>

namespace stele::sim {

/// What the network carries calls to: a server whose process comes and goes. Not thread safe.
class Peer {
public:
    virtual ~Peer() = default;
    virtual bool running() const = 0;
    /// Grows with each start, so that a late message can tell that its process is gone.
    virtual std::uint64_t incarnation() const = 0;
    virtual void dispatch(const std::string& path, frontend::CallPtr call) = 0;
};

}  // namespace stele::sim
