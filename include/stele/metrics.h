#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What clients and workers measure. They write to a Meter, which an application implements for the
// monitoring that it has, or takes as it is from PrometheusMeter:
//
//     auto meter = std::make_shared<stele::PrometheusMeter>();
//     auto client = stele::Client::connect({.meter = meter});
//     ... serve meter->text() at /metrics ...
//
// Names and labels are those of the official SDKs, such as temporal_request_latency. Without a meter
// nothing is measured.
namespace stele {

/// Names and values that tell series of one metric apart.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// A count that only grows.
class Counter {
public:
    virtual ~Counter() = default;
    virtual void add(std::uint64_t amount) = 0;
};

/// A value that goes up and down.
class Gauge {
public:
    virtual ~Gauge() = default;
    virtual void set(double value) = 0;
};

/// How long something took, as a distribution.
class LatencyHistogram {
public:
    virtual ~LatencyHistogram() = default;
    virtual void record(std::chrono::nanoseconds duration) = 0;
};

/// Makes instruments. The SDK asks once for each series and keeps what it gets for as long as it may
/// write to it. Meters and instruments are used from any thread, several at a time; they must not
/// block for long and must not throw.
class Meter {
public:
    virtual ~Meter() = default;
    virtual std::shared_ptr<Counter> counter(std::string_view name, const MetricLabels& labels) = 0;
    virtual std::shared_ptr<Gauge> gauge(std::string_view name, const MetricLabels& labels) = 0;
    virtual std::shared_ptr<LatencyHistogram> histogram(std::string_view name,
                                                        const MetricLabels& labels) = 0;
};

/// Keeps all series in memory, for tests and for Prometheus to collect. Safe to use from any thread.
class PrometheusMeter final : public Meter {
public:
    /// The upper bounds of the histograms' buckets in seconds, growing; empty: from a millisecond to
    /// a day. Throws ConfigurationError when they do not grow.
    explicit PrometheusMeter(std::vector<double> bucket_seconds = {});
    ~PrometheusMeter() override;

    /// All three throw ConfigurationError for a name that stands for another kind of instrument.
    std::shared_ptr<Counter> counter(std::string_view name, const MetricLabels& labels) override;
    std::shared_ptr<Gauge> gauge(std::string_view name, const MetricLabels& labels) override;
    std::shared_ptr<LatencyHistogram> histogram(std::string_view name,
                                                const MetricLabels& labels) override;

    /// Everything in the text format of Prometheus, version 0.0.4; durations in seconds.
    std::string text() const;

    /// The sum over all series of the metric that have at least these labels: of a counter its count,
    /// of a gauge its value, of a histogram how many durations were recorded. 0 where there is none.
    double value(std::string_view name, const MetricLabels& labels = {}) const;

private:
    struct Registry;
    std::unique_ptr<Registry> registry_;
};

}  // namespace stele
