#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "stele/errors.h"
#include "stele/metrics.h"

namespace stele {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(PrometheusTest, CountersAndGaugesAreLinesWithTheirLabelsInOrder) {
    PrometheusMeter meter;
    meter.counter("requests", {{"b", "2"}, {"a", "1"}})->add(2);
    meter.counter("requests", {{"a", "1"}, {"b", "2"}})->add(3);
    meter.gauge("slots", {})->set(2.5);
    EXPECT_EQ(meter.text(),
              "# TYPE requests counter\n"
              "requests{a=\"1\",b=\"2\"} 5\n"
              "# TYPE slots gauge\n"
              "slots 2.5\n");
}

TEST(PrometheusTest, BucketsCountEverythingUpToTheirBounds) {
    PrometheusMeter meter({0.1, 1});
    const auto latency = meter.histogram("latency", {{"type", "x"}});
    latency->record(100ms);
    latency->record(500ms);
    latency->record(4s);
    EXPECT_EQ(meter.text(),
              "# TYPE latency histogram\n"
              "latency_bucket{type=\"x\",le=\"0.1\"} 1\n"
              "latency_bucket{type=\"x\",le=\"1\"} 2\n"
              "latency_bucket{type=\"x\",le=\"+Inf\"} 3\n"
              "latency_sum{type=\"x\"} 4.6\n"
              "latency_count{type=\"x\"} 3\n");
}

TEST(PrometheusTest, LabelsCannotBreakOutOfTheirLine) {
    PrometheusMeter meter;
    meter.counter("c", {{"type", "a\"b\\c\nd"}})->add(1);
    EXPECT_THAT(meter.text(), HasSubstr("c{type=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(PrometheusTest, ValueSumsUpTheSeriesThatHaveTheLabels) {
    PrometheusMeter meter;
    meter.counter("c", {{"type", "a"}, {"queue", "1"}})->add(1);
    meter.counter("c", {{"type", "a"}, {"queue", "2"}})->add(10);
    meter.counter("c", {{"type", "b"}, {"queue", "1"}})->add(100);
    EXPECT_EQ(meter.value("c"), 111);
    EXPECT_EQ(meter.value("c", {{"type", "a"}}), 11);
    EXPECT_EQ(meter.value("c", {{"type", "b"}, {"queue", "2"}}), 0);
    EXPECT_EQ(meter.value("unknown"), 0);
}

TEST(PrometheusTest, WhatCannotBeMeantIsRefused) {
    PrometheusMeter meter;
    (void)meter.counter("c", {});
    EXPECT_THROW((void)meter.gauge("c", {}), ConfigurationError);
    EXPECT_THROW(PrometheusMeter({1, 1}), ConfigurationError);
}

TEST(PrometheusTest, ThreadsCountTogetherWhileOneReads) {
    PrometheusMeter meter;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&meter] {
            for (int n = 0; n < 1'000; ++n) meter.counter("c", {{"turn", "same"}})->add(1);
        });
    EXPECT_FALSE(meter.text().empty() && meter.value("c") > 0);
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(meter.value("c"), 4'000);
}

TEST(PrometheusTest, InstrumentsMayOutliveTheirMeter) {
    auto meter = std::make_unique<PrometheusMeter>();
    const auto latency = meter->histogram("latency", {});
    meter.reset();
    latency->record(1s);
}

}  // namespace
}  // namespace stele
