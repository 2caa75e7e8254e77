#pragma once

#include "base/hash_by.h"
#include "base/ids.h"
#include "stele/internal/rows.pb.h"

#include <absl/container/flat_hash_set.h>

#include <iterator>
#include <list>
#include <string>
#include <string_view>
#include <utility>

// The newest run of each workflow id that was asked for lately. Like a run, an entry is ahead of the
// store until the store can be read up to its position, and stays at least that long.
namespace stele::shard {

/// Least recently used first out. Of what names a workflow the run id is not looked at. Not thread safe:
/// belongs to one shard.
class CurrentCache {
public:
    explicit CurrentCache(std::size_t capacity) : capacity_(capacity) {}

    /// Null when it is not in memory. Valid until the next `put`.
    const storage::CurrentRow* find(const RunRef& workflow) {
        const auto found = rows_.find(workflow);
        if (found == rows_.end()) return nullptr;
        order_.splice(order_.begin(), order_, *found);
        return &order_.front().row;
    }

    /// The row where it now is. Valid until the next `put`.
    const storage::CurrentRow& put(const RunRef& workflow, storage::CurrentRow row,
                                   Position position, Position readable) {
        if (const auto found = rows_.find(workflow); found != rows_.end()) {
            order_.splice(order_.begin(), order_, *found);
            order_.front().row = std::move(row);
            order_.front().position = position;
        } else {
            order_.push_front(
                {workflow.namespace_id, workflow.workflow_id, std::move(row), position});
            rows_.insert(order_.begin());
        }
        while (rows_.size() > capacity_ && order_.size() > 1 &&
               order_.back().position <= readable) {
            rows_.erase(std::prev(order_.end()));
            order_.pop_back();
        }
        return order_.front().row;
    }

private:
    struct Entry {
        std::string namespace_id;
        std::string workflow_id;
        storage::CurrentRow row;
        Position position;
    };
    using Place = std::list<Entry>::iterator;
    struct Name {
        using Parts = std::pair<std::string_view, std::string_view>;
        static Parts of(const RunRef& workflow) {
            return {workflow.namespace_id, workflow.workflow_id};
        }
        static Parts of(const Place& place) { return {place->namespace_id, place->workflow_id}; }
    };

    std::size_t capacity_;
    std::list<Entry> order_;  // most recently used first
    absl::flat_hash_set<Place, HashBy<Name>, SameBy<Name>> rows_;
};

}  // namespace stele::shard
