#include "matching/task_queue.h"

#include <algorithm>

namespace stele::matching {

namespace enums = temporal::api::enums::v1;

void QueueLimits::apply(const QueueSettings& settings, const QueueConfig& config,
                        std::optional<double> worker_rate, Timestamp now) {
    double rate = settings.system_rate();
    source_ = enums::RATE_LIMIT_SOURCE_SYSTEM;
    const std::optional<double> wished = config.rate ? config.rate : worker_rate;
    if (wished && *wished < rate) {
        rate = *wished;
        source_ = config.rate ? enums::RATE_LIMIT_SOURCE_API : enums::RATE_LIMIT_SOURCE_WORKER;
    }
    whole_.set_rate(rate, now);
    per_key_.set_rate(config.rate_per_key.value_or(-1), now);
}

Timestamp QueueLimits::next(const shard::TaskOffer& offer, Timestamp now) const {
    return std::max(whole_.next(now), per_key_.next(offer.fairness_key, now));
}

void QueueLimits::take(const shard::TaskOffer& offer, float weight, Timestamp now) {
    whole_.take(now);
    per_key_.take(offer.fairness_key, weight, now);
}

void QueueLimits::give_back(const shard::TaskOffer& offer, float weight) {
    whole_.give_back();
    per_key_.give_back(offer.fairness_key, weight);
}

}  // namespace stele::matching
