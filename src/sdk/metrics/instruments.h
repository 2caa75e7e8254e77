#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "stele/metrics.h"

// Instruments as the SDK uses them: absent ones take no notice of what they are told, so that a
// program without a meter pays for a test of a pointer and no more.
namespace stele::sdk {

class OptionalCounter {
public:
    OptionalCounter() = default;
    explicit OptionalCounter(std::shared_ptr<Counter> counter) : counter_(std::move(counter)) {}
    void add(std::uint64_t amount = 1) const {
        if (counter_) counter_->add(amount);
    }

private:
    std::shared_ptr<Counter> counter_;
};

class OptionalGauge {
public:
    OptionalGauge() = default;
    explicit OptionalGauge(std::shared_ptr<Gauge> gauge) : gauge_(std::move(gauge)) {}
    void set(double value) const {
        if (gauge_) gauge_->set(value);
    }

private:
    std::shared_ptr<Gauge> gauge_;
};

class OptionalHistogram {
public:
    OptionalHistogram() = default;
    explicit OptionalHistogram(std::shared_ptr<LatencyHistogram> histogram)
        : histogram_(std::move(histogram)) {}
    /// Clocks of two machines may differ: what would be negative counts as nothing.
    void record(std::chrono::nanoseconds duration) const {
        if (histogram_) histogram_->record(std::max(duration, std::chrono::nanoseconds(0)));
    }

private:
    std::shared_ptr<LatencyHistogram> histogram_;
};

/// A meter with labels that all its instruments have. Without a meter it makes absent instruments.
class LabelledMeter {
public:
    LabelledMeter() = default;
    LabelledMeter(std::shared_ptr<Meter> meter, MetricLabels labels)
        : meter_(std::move(meter)), labels_(std::move(labels)) {}

    explicit operator bool() const { return meter_ != nullptr; }

    LabelledMeter with(std::string name, std::string value) const {
        LabelledMeter more = *this;
        if (meter_) more.labels_.emplace_back(std::move(name), std::move(value));
        return more;
    }
    OptionalCounter counter(std::string_view name) const {
        return OptionalCounter(meter_ ? meter_->counter(prefixed(name), labels_) : nullptr);
    }
    OptionalGauge gauge(std::string_view name) const {
        return OptionalGauge(meter_ ? meter_->gauge(prefixed(name), labels_) : nullptr);
    }
    OptionalHistogram histogram(std::string_view name) const {
        return OptionalHistogram(meter_ ? meter_->histogram(prefixed(name), labels_) : nullptr);
    }

private:
    static std::string prefixed(std::string_view name) { return "temporal_" + std::string(name); }

    std::shared_ptr<Meter> meter_;
    MetricLabels labels_;
};

/// Groups of instruments that differ in the value of one label, made when they are first asked for.
/// Not thread safe.
template <class Group>
class InstrumentsBy {
public:
    InstrumentsBy(LabelledMeter meter, std::string label)
        : meter_(std::move(meter)), label_(std::move(label)) {}

    const Group& of(const std::string& value) {
        if (!meter_) return absent_;
        const auto found = groups_.find(value);
        if (found != groups_.end()) return found->second;
        return groups_.emplace(value, Group(meter_.with(label_, value))).first->second;
    }

private:
    LabelledMeter meter_;
    std::string label_;
    Group absent_{LabelledMeter()};
    std::map<std::string, Group, std::less<>> groups_;
};

}  // namespace stele::sdk
