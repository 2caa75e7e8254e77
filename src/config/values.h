#pragma once

#include "config/value.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

// The settings that somebody has changed: values by key, each for everything or for one namespace,
// task queue or destination. A plain value; the keys are compared without regard to case.
namespace stele::config {

/// Empty or 0: not constrained.
struct Constraints {
    std::string namespace_name;
    std::string task_queue;
    int task_queue_type = 0;  // temporal.api.enums.v1.TaskQueueType
    std::string destination;

    bool operator==(const Constraints&) const = default;
};

struct ConstrainedValue {
    Constraints constraints;
    Value value;
};

/// What a value is asked for. The parts that are empty do not narrow the search.
using Scope = Constraints;

/// The order of keys, without regard to case. Looking one up does not allocate: it happens in every
/// poll.
struct KeyLess {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
};

class Values {
public:
    /// Puts values behind those that the key has. Of two that match alike, the later one counts.
    void add(std::string_view key, std::vector<ConstrainedValue> values);
    /// Puts all that `other` holds behind what is here.
    void add(const Values& other);

    /// The value that fits the scope most closely, or null when none fits.
    const Value* find(std::string_view key, const Scope& scope) const;

    bool empty() const { return by_key_.empty(); }

private:
    std::map<std::string, std::vector<ConstrainedValue>, KeyLess> by_key_;
};

std::string lower_case(std::string_view text);

}  // namespace stele::config
