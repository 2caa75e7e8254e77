#pragma once

#include "history/run.h"
#include "history/transition.h"

#include <utility>

namespace stele::history {

/// The outcome of what has nothing to write: it came twice, or too late.
template <typename Reply = None>
Applied<Reply> unchanged(const Run& run, Reply reply = {}) {
    Applied<Reply> outcome{Transition(run), std::move(reply)};
    outcome.transition.empty = true;
    return outcome;
}

}  // namespace stele::history
