#include "matching/poller_scaling.h"

namespace stele::matching {

bool PollerScaling::may_advise(double per_second, Timestamp now) {
    constexpr double kSecond = 1e9;
    if (per_second <= 0 || next_ > now) return false;
    next_ = now + Duration(static_cast<std::int64_t>(kSecond / per_second));
    return true;
}

std::int32_t PollerScaling::advise(const QueueSettings& settings,
                                   const PollerSituation& situation) {
    if (situation.waited >= settings.scale_down_wait) return -1;
    const double pollers = static_cast<double>(std::max<std::size_t>(situation.pollers, 1));
    if (!may_advise(settings.scale_decisions_per_second * pollers, situation.now)) return 0;
    if (situation.backlog > 0 && situation.backlog_age > settings.scale_up_backlog_age) return 1;
    const bool falls_behind = situation.added_per_second >
                              settings.scale_up_add_ratio * situation.dispatched_per_second;
    return falls_behind ? 1 : 0;
}

}  // namespace stele::matching
