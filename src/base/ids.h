#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

// Strong types for the integers and names that identify things, so that an event id can not be
// passed where a sequence number is wanted. All are plain values.
namespace stele {

template <typename Tag>
class StrongInt {
public:
    constexpr StrongInt() = default;
    constexpr explicit StrongInt(std::int64_t value) : value_(value) {}

    constexpr std::int64_t value() const { return value_; }
    constexpr StrongInt next() const { return StrongInt(value_ + 1); }
    constexpr StrongInt previous() const { return StrongInt(value_ - 1); }
    constexpr auto operator<=>(const StrongInt&) const = default;

private:
    std::int64_t value_ = 0;
};

/// Position of an event in the history of one run. The first event is 1; 0 means "none".
using EventId = StrongInt<struct EventIdTag>;
/// Number of a run, in order of creation by its shard: two shards may give one number to runs of different slots.
/// With the slot the short form of (namespace, workflow, run).
using RunKey = StrongInt<struct RunKeyTag>;
/// Index of a shard: a range of slots that one executor owns.
using ShardId = StrongInt<struct ShardIdTag>;
/// Position in a shard's commit log; grows by one with each submitted batch.
using Position = StrongInt<struct PositionTag>;

inline constexpr EventId kNoEvent{0};
inline constexpr EventId kFirstEvent{1};

/// One of the 4096 places that (namespace, workflow id) hashes to; see docs/formats/keys.md.
using Slot = std::uint16_t;
inline constexpr Slot kSlotCount = 4096;

/// A run in full. `run_id` may be empty where "the current run" is meant.
struct RunRef {
    std::string namespace_id;
    std::string workflow_id;
    std::string run_id;

    auto operator<=>(const RunRef&) const = default;
};

}  // namespace stele

template <typename Tag>
struct std::hash<stele::StrongInt<Tag>> {
    std::size_t operator()(stele::StrongInt<Tag> id) const noexcept {
        return std::hash<std::int64_t>{}(id.value());
    }
};
