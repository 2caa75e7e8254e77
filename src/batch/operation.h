#pragma once

#include "batch/request.h"
#include "shard/engine.h"

#include <string>
#include <utility>

// What a batch operation does to one run.
namespace stele::batch {

/// Does it. A run that had it done to it by the same `job` before is left as it is, as far as the
/// operation can tell: signals, cancellations and resets know by a request id, the others do the same
/// again without harm. The reply is the outcome in the run.
void operate(shard::Engine& engine, const shard::NamespacePtr& space, const Request& request,
             const std::string& job, const RunRef& run, Timestamp now, Reply<history::None> reply);

/// A reply that passes on whether it went well, to `reply`, and drops what came of it.
template <typename T>
Reply<T> outcome_only(Reply<history::None> reply) {
    return [reply = std::move(reply)](absl::StatusOr<T> outcome) mutable {
        if (!outcome.ok()) return reply(std::move(outcome).status());
        reply(history::None());
    };
}

/// Whether trying again may help.
bool may_pass(const absl::Status& problem);

}  // namespace stele::batch
