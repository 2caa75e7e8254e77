#pragma once

#include "base/ids.h"
#include "stele/internal/rows.pb.h"

#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

// The newest run of each workflow id that was asked for lately. Like a run, an entry is ahead of the
// store until the store can be read up to its position, and stays at least that long.
namespace stele::shard {

/// Least recently used first out. Not thread safe: belongs to one shard.
class CurrentCache {
public:
    explicit CurrentCache(std::size_t capacity) : capacity_(capacity) {}

    /// Null when it is not in memory. Valid until the next `put`.
    const storage::CurrentRow* find(const RunRef& workflow) {
        const auto found = rows_.find(name_of(workflow));
        if (found == rows_.end()) return nullptr;
        order_.splice(order_.begin(), order_, found->second);
        return &found->second->row;
    }

    void put(const RunRef& workflow, storage::CurrentRow row, Position position,
             Position readable) {
        RunRef name = name_of(workflow);
        const auto found = rows_.find(name);
        if (found != rows_.end()) {
            order_.erase(found->second);
            rows_.erase(found);
        }
        order_.push_front({name, std::move(row), position});
        rows_.emplace(std::move(name), order_.begin());
        for (auto last = order_.end(); rows_.size() > capacity_ && last != order_.begin();) {
            --last;
            if (last->position > readable) break;
            rows_.erase(last->name);
            last = order_.erase(last);
        }
    }

private:
    struct Entry {
        RunRef name;
        storage::CurrentRow row;
        Position position;
    };

    struct Hash {
        std::size_t operator()(const RunRef& name) const {
            const std::hash<std::string> hash;
            return hash(name.workflow_id) * 31 + hash(name.namespace_id);
        }
    };

    static RunRef name_of(const RunRef& workflow) {
        return {workflow.namespace_id, workflow.workflow_id, {}};
    }

    std::size_t capacity_;
    std::list<Entry> order_;  // most recently used first
    std::unordered_map<RunRef, std::list<Entry>::iterator, Hash> rows_;
};

}  // namespace stele::shard
