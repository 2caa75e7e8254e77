#pragma once

#include "env/env.h"

#include <memory>
#include <vector>

// The Env of production: the machine's clock, the kernel's randomness, and a few threads that the
// executors share.
namespace stele::env {

class Loop;

class PosixEnv : public Env {
public:
    /// The loops that the executors run on, for who waits for sockets.
    virtual std::vector<Loop*> loops() = 0;
};

/// Executors are spread over `loops` threads; blocking ones have a thread each. With one loop, what
/// passes from executor to executor costs no switch of threads. Timers follow the wall clock: when
/// somebody sets it forward they fire at once, when it is set back they wait longer. Executors must
/// be destroyed before the Env, and never from one of their own closures.
std::unique_ptr<PosixEnv> make_posix_env(int loops = 1);

}  // namespace stele::env
