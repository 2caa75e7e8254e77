#pragma once

#include "env/env.h"
#include "shard/completions.h"

#include <memory>

// Sends completion callbacks over HTTP and HTTPS.
namespace stele::server {

/// A few requests at a time; those to one address go one after the other, so that a slow receiver
/// holds up little more than itself. A request may take ten seconds. Thread safe.
std::unique_ptr<shard::CompletionSender> make_completion_client(env::Env& env);

}  // namespace stele::server
