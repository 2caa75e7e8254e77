#pragma once

#include "base/status.h"
#include "base/time.h"
#include "env/mutex.h"
#include "frontend/call_settings.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

// How many calls a namespace may make a second, and how many of them may wait at a time. Calls are
// ranked: under load, completions and starts still pass when polls no longer do.
namespace stele::frontend {

/// What limits a method, see the table in call_gate.cc.
struct CallClass {
    enum class Quota { kExecution, kVisibility };
    Quota quota = Quota::kExecution;
    int rank = 0;        // 0 is served for longest
    bool waits = false;  // holds its place until it is answered
};
CallClass call_class(std::string_view method);

/// A place among the calls that wait, given up with the last copy.
using WaitingPlace = std::shared_ptr<void>;

/// Thread safe.
class CallGate {
public:
    /// RESOURCE_EXHAUSTED, RPS_LIMIT, when the namespace has used up what calls of this rank may use.
    absl::Status admit(const std::string& namespace_id, const CallClass& call,
                       const CallSettings& settings, Timestamp now);

    /// RESOURCE_EXHAUSTED, CONCURRENT_LIMIT, when too many calls of the method wait. The gate must
    /// outlive the place.
    absl::StatusOr<WaitingPlace> wait(const std::string& namespace_id, const std::string& method,
                                      const CallSettings& settings);

private:
    static constexpr int kRanks = 6;

    /// Tokens fill up at the rate of a quota, to a burst. Each rank has a bucket of its own; a call
    /// is let through by the bucket of its rank, and takes from those of all later ranks too.
    struct Quota {
        Timestamp filled{};
        std::array<double, kRanks> tokens{};
    };

    env::Mutex mutex_;
    std::unordered_map<std::string, std::array<Quota, 2>> quotas_ STELE_GUARDED_BY(mutex_);
    std::unordered_map<std::string, std::int32_t> waiting_ STELE_GUARDED_BY(mutex_);
};

}  // namespace stele::frontend
