#pragma once

#include "store/store.h"

#include <string>
#include <vector>

// Checks a whole store against the invariants that its rows must keep among themselves, whatever
// crashed when: numbers 2, 3, 5, 7, 10 and 11 of docs/invariants.md. For tests and the simulator;
// it reads everything.
namespace stele::shard {

/// What is wrong, one sentence each; empty when nothing is.
std::vector<std::string> verify_store(store::Store& store);

}  // namespace stele::shard
