#pragma once

#include <cstdint>
#include <set>
#include <vector>

namespace stele::core {

/// Behaviours of the SDK that are written into histories, so that a later version can change them
/// for new runs and keep them for old ones. Numbers are for ever.
enum class Flag : std::uint32_t {
    /// All jobs of a task are applied, signals first and the main routine last; then the ready
    /// queue is drained and one satisfied condition released at a time.
    kOrderedLoop = 1,
};
inline constexpr std::uint32_t kHighestFlag = 1;

/// The flags that one run uses. Not thread safe.
class FlagSet {
public:
    /// From the history. False for a flag that this version does not know.
    bool absorb(std::uint32_t flag) {
        if (flag == 0 || flag > kHighestFlag) return false;
        recorded_.insert(flag);
        return true;
    }
    /// Asks whether the code may take the flag's branch; while running live, it always may.
    bool use(Flag flag, bool replaying) {
        const auto number = static_cast<std::uint32_t>(flag);
        if (recorded_.contains(number)) return true;
        if (replaying) return false;
        fresh_.insert(number);
        return true;
    }
    /// Flags to record with the completion at hand.
    std::vector<std::uint32_t> take_fresh() {
        std::vector<std::uint32_t> flags(fresh_.begin(), fresh_.end());
        recorded_.insert(fresh_.begin(), fresh_.end());
        fresh_.clear();
        return flags;
    }

private:
    std::set<std::uint32_t> recorded_;
    std::set<std::uint32_t> fresh_;
};

}  // namespace stele::core
