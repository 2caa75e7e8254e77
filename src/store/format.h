#pragma once

#include "store/store.h"

#include <functional>
#include <string>
#include <string_view>

// The mark that says how the rest of a store is to be read: the meta row `format`. Its value starts
// with the version of the whole layout, so an older build that meets a newer store says so instead
// of guessing. docs/formats/store.md.
namespace stele::store {

/// Version of the layout that this build writes.
inline constexpr std::uint8_t kStoreFormat = 2;

/// Told, in words for people, of work that keeps a store from being opened for a while.
using OpeningNotice = std::function<void(const std::string&)>;

/// Marks an empty store, accepts one of this version, and brings one of version 1 to it, which rewrites the rows of
/// all runs. FAILED_PRECONDITION otherwise, with the version found and `where`, the store's name for people.
/// Idempotent, also after an interruption. The mark is durable when this returns OK.
absl::Status check_format(Store& store, std::string_view where, const OpeningNotice& notice = {});

}  // namespace stele::store
