#pragma once

#include <absl/hash/hash.h>

#include <cstddef>

namespace stele {

/// Hash and equality of a set whose elements are places of values, and which are looked for by name:
/// `absl::flat_hash_set<Place, HashBy<Name>, SameBy<Name>>`. `Name::of` gives the name of a place, and a name for
/// itself. Pure.
template <typename Name>
struct HashBy {
    using is_transparent = void;
    template <typename T>
    std::size_t operator()(const T& named) const {
        return absl::HashOf(Name::of(named));
    }
};
template <typename Name>
struct SameBy {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& one, const B& other) const {
        return Name::of(one) == Name::of(other);
    }
};

}  // namespace stele
