#pragma once

#include "base/hash_by.h"
#include "shard/dispatch.h"

#include <absl/container/flat_hash_set.h>

#include <map>
#include <utility>

namespace stele::shard {

/// A value for each of many queues. Found by a hash: the names of queues begin alike, and a search among a hundred
/// thousand of them would compare seventeen, most of them in memory that no processor's cache holds. Walked in
/// the order of their names, so that one seed of a simulation is always the same. Values keep their places.
/// Not thread safe.
template <typename Value>
class QueueMap {
    using InOrder = std::map<QueueId, Value>;

public:
    using iterator = typename InOrder::iterator;
    using const_iterator = typename InOrder::const_iterator;

    QueueMap() = default;
    QueueMap(const QueueMap&) = delete;  // places in one are not places in another
    QueueMap& operator=(const QueueMap&) = delete;

    iterator begin() { return values_.begin(); }
    iterator end() { return values_.end(); }
    const_iterator begin() const { return values_.begin(); }
    const_iterator end() const { return values_.end(); }

    iterator find(const QueueId& queue) {
        const auto found = places_.find(queue);
        return found == places_.end() ? values_.end() : *found;
    }
    const_iterator find(const QueueId& queue) const {
        const auto found = places_.find(queue);
        return found == places_.end() ? values_.end() : const_iterator(*found);
    }

    /// The value of a queue, made of the arguments when it has none; and whether it was made.
    template <typename... Arguments>
    std::pair<iterator, bool> try_emplace(const QueueId& queue, Arguments&&... arguments) {
        if (const iterator known = find(queue); known != values_.end()) return {known, false};
        const iterator made =
            values_.try_emplace(queue, std::forward<Arguments>(arguments)...).first;
        places_.insert(made);
        return {made, true};
    }

    /// Returns the place behind it.
    iterator erase(iterator place) {
        places_.erase(place);
        return values_.erase(place);
    }

private:
    struct Name {
        static const QueueId& of(const QueueId& queue) { return queue; }
        static const QueueId& of(const iterator& place) { return place->first; }
    };

    InOrder values_;
    absl::flat_hash_set<iterator, HashBy<Name>, SameBy<Name>> places_;
};

}  // namespace stele::shard
