#pragma once

#include "store/store.h"

// Brings a store of an earlier layout to the one that this build writes; docs/formats/store.md says what each was.
namespace stele::store {

/// Layout 1 had the rows of a run under slot and run key, 2 has them under run key and slot. Goes on where an
/// interrupted call has stopped; in between the store is of neither layout. Not synced: what is written behind it has
/// to be. DATA_LOSS for a key that is none of layout 1.
absl::Status upgrade_from_layout_1(Store& store);

}  // namespace stele::store
