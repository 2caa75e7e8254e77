#pragma once

#include "shard/shard.h"

// What passes between a parent and its children, as it arrives in the shard of the one that it is
// meant for. Every message may come twice; the second time it changes nothing and is answered alike.
// All belong on the executor of the target's shard.
namespace stele::shard::children {

/// The parent has recorded the start of the child.
void release(Shard& shard, const Delivery& delivery, Reply<history::None> reply);
/// The parent has closed, and its policy ends the child, in whichever run of its chain it is.
void end(Shard& shard, const Delivery& delivery, const EndChild& order, Reply<history::None> reply);
/// A child has closed. Where the parent was reset meanwhile, the run in its place is told.
void report(Shard& shard, const Delivery& delivery, const history::ChildReport& report,
            Reply<history::None> reply);

}  // namespace stele::shard::children
