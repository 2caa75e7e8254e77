#pragma once

#include "store/store.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace stele::crash_points {

/// What a store was asked to write, in order, and how much of it a sync has confirmed. After a crash
/// the store must hold exactly a prefix of it: all that was confirmed, no part of a batch, no batch
/// without those before it. Not thread safe.
class Ledger {
public:
    Ledger();

    /// A batch is about to be written.
    void begin(const store::WriteBatch& batch);
    /// A sync returned OK: all that was begun is there for ever.
    void confirm();
    /// All of it as values, and back.
    struct State {
        std::map<std::string, std::string> confirmed;  // the rows
        std::deque<store::WriteBatch> open;
    };
    State state() const;
    void load(const State& state);
    /// Looks at what was found after a crash, and goes on from there; says what is wrong, or nothing.
    std::string reconcile(store::Store& found);

private:
    std::unique_ptr<store::Store> confirmed_;
    std::deque<store::WriteBatch> open_;
};

}  // namespace stele::crash_points
