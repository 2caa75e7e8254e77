#pragma once

#include "store/store.h"

#include <memory>

namespace stele::store {

/// A store that lives and dies with the process; Sync::kYes means nothing to it. It keeps the old
/// versions of a key only while a cursor that was made before can still see them. Thread safe.
std::unique_ptr<Store> make_memory_store();

}  // namespace stele::store
