#pragma once

#include "env/env.h"

#include <memory>

// The Env of production: the machine's clock, the kernel's randomness, one thread per executor.
namespace stele::env {

/// Timers follow the wall clock: when somebody sets it forward they fire at once, when it is set
/// back they wait longer. Executors must be destroyed before the Env, and never from one of their
/// own closures.
std::unique_ptr<Env> make_posix_env();

}  // namespace stele::env
