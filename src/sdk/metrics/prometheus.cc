#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <map>
#include <mutex>
#include <variant>

#include "stele/errors.h"
#include "stele/metrics.h"

namespace stele {

namespace {

const std::vector<double> kDefaultBucketSeconds = {
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3'600, 86'400};

class StoredCounter final : public Counter {
public:
    void add(std::uint64_t amount) override { count_.fetch_add(amount, std::memory_order_relaxed); }
    std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> count_{0};
};

class StoredGauge final : public Gauge {
public:
    void set(double value) override { value_.store(value, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

class StoredHistogram final : public LatencyHistogram {
public:
    /// The bounds are shared, because an instrument may outlive its meter.
    explicit StoredHistogram(std::shared_ptr<const std::vector<double>> bounds)
        : bounds_(std::move(bounds)), counts_(bounds_->size() + 1) {}

    void record(std::chrono::nanoseconds duration) override {
        const double seconds = std::chrono::duration<double>(duration).count();
        const auto bucket = std::lower_bound(bounds_->begin(), bounds_->end(), seconds);
        counts_[static_cast<std::size_t>(bucket - bounds_->begin())].fetch_add(
            1, std::memory_order_relaxed);
        nanoseconds_.fetch_add(duration.count(), std::memory_order_relaxed);
    }

    const std::vector<double>& bounds() const { return *bounds_; }
    std::uint64_t count(std::size_t bucket) const {
        return counts_[bucket].load(std::memory_order_relaxed);
    }
    std::uint64_t count() const {
        std::uint64_t total = 0;
        for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) total += count(bucket);
        return total;
    }
    double seconds() const {
        return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
    }

private:
    std::shared_ptr<const std::vector<double>> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<std::int64_t> nanoseconds_{0};
};

template <class Instrument>
using Series = std::map<MetricLabels, std::shared_ptr<Instrument>>;
using Family = std::variant<Series<StoredCounter>, Series<StoredGauge>, Series<StoredHistogram>>;

constexpr std::array kKinds = {"counter", "gauge", "histogram"};

bool has_all(const MetricLabels& labels, const MetricLabels& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
        return std::find(labels.begin(), labels.end(), label) != labels.end();
    });
}

double value_of(const StoredCounter& counter) { return static_cast<double>(counter.count()); }
double value_of(const StoredGauge& gauge) { return gauge.value(); }
double value_of(const StoredHistogram& histogram) { return static_cast<double>(histogram.count()); }

std::string number(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return std::string(text.data(), end);
}

std::string escaped(const std::string& value) {
    std::string text;
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    return text;
}

void write_line(std::string& text, std::string_view name, const MetricLabels& labels,
                const std::string& value) {
    text += name;
    char separator = '{';
    for (const auto& [label, content] : labels) {
        text += separator;
        text += label + "=\"" + escaped(content) + "\"";
        separator = ',';
    }
    if (!labels.empty()) text += '}';
    text += " " + value + "\n";
}

void write(std::string& text, const std::string& name, const MetricLabels& labels,
           const StoredCounter& counter) {
    write_line(text, name, labels, std::to_string(counter.count()));
}

void write(std::string& text, const std::string& name, const MetricLabels& labels,
           const StoredGauge& gauge) {
    write_line(text, name, labels, number(gauge.value()));
}

// A bucket counts everything up to its bound, so the last one is the number of all.
void write(std::string& text, const std::string& name, const MetricLabels& labels,
           const StoredHistogram& histogram) {
    std::uint64_t below = 0;
    for (std::size_t bucket = 0; bucket <= histogram.bounds().size(); ++bucket) {
        below += histogram.count(bucket);
        MetricLabels bounded = labels;
        bounded.emplace_back("le", bucket == histogram.bounds().size()
                                       ? "+Inf"
                                       : number(histogram.bounds()[bucket]));
        write_line(text, name + "_bucket", bounded, std::to_string(below));
    }
    write_line(text, name + "_sum", labels, number(histogram.seconds()));
    write_line(text, name + "_count", labels, std::to_string(below));
}

}  // namespace

struct PrometheusMeter::Registry {
    std::shared_ptr<const std::vector<double>> bounds;
    mutable std::mutex mutex;
    std::map<std::string, Family, std::less<>> families;

    template <class Instrument, class... Arguments>
    std::shared_ptr<Instrument> find(std::string_view name, MetricLabels labels,
                                     const Arguments&... arguments) {
        std::sort(labels.begin(), labels.end());
        const std::lock_guard lock(mutex);
        const auto family = families.try_emplace(std::string(name), Series<Instrument>()).first;
        auto* series = std::get_if<Series<Instrument>>(&family->second);
        if (series == nullptr)
            throw ConfigurationError("the metric \"" + std::string(name) + "\" is a " +
                                     kKinds[family->second.index()]);
        auto& instrument = (*series)[std::move(labels)];
        if (!instrument) instrument = std::make_shared<Instrument>(arguments...);
        return instrument;
    }
};

PrometheusMeter::PrometheusMeter(std::vector<double> bucket_seconds)
    : registry_(std::make_unique<Registry>()) {
    if (std::adjacent_find(bucket_seconds.begin(), bucket_seconds.end(), std::greater_equal()) !=
        bucket_seconds.end())
        throw ConfigurationError("the bounds of a histogram's buckets must grow");
    registry_->bounds = std::make_shared<const std::vector<double>>(
        bucket_seconds.empty() ? kDefaultBucketSeconds : std::move(bucket_seconds));
}

PrometheusMeter::~PrometheusMeter() = default;

std::shared_ptr<Counter> PrometheusMeter::counter(std::string_view name,
                                                  const MetricLabels& labels) {
    return registry_->find<StoredCounter>(name, labels);
}

std::shared_ptr<Gauge> PrometheusMeter::gauge(std::string_view name, const MetricLabels& labels) {
    return registry_->find<StoredGauge>(name, labels);
}

std::shared_ptr<LatencyHistogram> PrometheusMeter::histogram(std::string_view name,
                                                             const MetricLabels& labels) {
    return registry_->find<StoredHistogram>(name, labels, registry_->bounds);
}

std::string PrometheusMeter::text() const {
    std::string text;
    const std::lock_guard lock(registry_->mutex);
    for (const auto& entry : registry_->families) {
        const std::string& name = entry.first;
        text += "# TYPE " + name + " " + kKinds[entry.second.index()] + "\n";
        std::visit(
            [&](const auto& series) {
                for (const auto& [labels, instrument] : series)
                    write(text, name, labels, *instrument);
            },
            entry.second);
    }
    return text;
}

double PrometheusMeter::value(std::string_view name, const MetricLabels& labels) const {
    const std::lock_guard lock(registry_->mutex);
    const auto family = registry_->families.find(name);
    if (family == registry_->families.end()) return 0;
    double sum = 0;
    std::visit(
        [&](const auto& series) {
            for (const auto& [own, instrument] : series)
                if (has_all(own, labels)) sum += value_of(*instrument);
        },
        family->second);
    return sum;
}

}  // namespace stele
