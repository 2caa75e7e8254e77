#pragma once

#include "env/env.h"

namespace stele::env {

/// Each thread draws from a xoshiro256** stream of its own that the kernel seeded, so ids cost no
/// system call and no lock. Secrets come from the kernel each time. Thread safe.
class PosixRandom final : public Random {
public:
    std::uint64_t next() override;
    std::string secret_bytes(std::size_t count) override;
};

}  // namespace stele::env
