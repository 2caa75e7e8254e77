#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "sdk/metrics/instruments.h"

namespace stele::sdk {

/// What is measured of the tasks of one workflow type.
struct WorkflowInstruments {
    explicit WorkflowInstruments(const LabelledMeter& meter);

    OptionalCounter completed;
    OptionalCounter cancelled;
    OptionalCounter failed;
    OptionalCounter continued_as_new;
    OptionalHistogram end_to_end;
    OptionalHistogram task_schedule_to_start;
    OptionalHistogram task_replay;
    OptionalHistogram task_execution;
    /// For series that are rare.
    LabelledMeter meter;

    /// `reason` as the official SDKs name it.
    void task_failed(const char* reason) const {
        meter.with("failure_reason", reason).counter("workflow_task_execution_failed").add();
    }
};

/// What is measured of the activities of one type.
struct ActivityInstruments {
    explicit ActivityInstruments(const LabelledMeter& meter);

    OptionalHistogram schedule_to_start;
    OptionalHistogram execution;
    OptionalHistogram succeeded_end_to_end;
    OptionalCounter failed;
    OptionalCounter cancelled;
};

struct LocalActivityInstruments {
    explicit LocalActivityInstruments(const LabelledMeter& meter);

    OptionalCounter all;
    OptionalHistogram execution;
    OptionalHistogram succeeded_end_to_end;
    OptionalCounter failed;
    OptionalCounter cancelled;
};

/// What is measured of a worker as a whole. Safe to use from any thread.
class WorkerMetrics {
public:
    explicit WorkerMetrics(LabelledMeter meter);

    /// For instruments by type, and those of pollers and slots.
    const LabelledMeter& meter() const { return meter_; }

    /// Runs have come into the sticky cache, or have left it.
    void cache_changed(int by) {
        const int size = cached_.fetch_add(by) + by;
        cache_size_.set(size);
    }
    void cache_hit() {
        ++hits_;
        hit_counter_.add();
    }
    void cache_miss() {
        ++misses_;
        miss_counter_.add();
    }
    void workflow_task_failed() { ++failed_workflow_tasks_; }
    void activity_failed() { ++failed_activities_; }
    std::int64_t failed_workflow_tasks() const { return failed_workflow_tasks_.load(); }
    std::int64_t failed_activities() const { return failed_activities_.load(); }
    int cached() const { return cached_.load(); }
    int hits() const { return hits_.load(); }
    int misses() const { return misses_.load(); }

    const OptionalCounter started;
    const OptionalCounter forced_evictions;
    const OptionalCounter workflow_polls_with_task;
    const OptionalCounter workflow_polls_empty;
    const OptionalCounter activity_polls_with_task;
    const OptionalCounter activity_polls_empty;

private:
    const LabelledMeter meter_;
    const OptionalGauge cache_size_;
    const OptionalCounter hit_counter_;
    const OptionalCounter miss_counter_;
    std::atomic<int> cached_{0};
    std::atomic<int> hits_{0};
    std::atomic<int> misses_{0};
    std::atomic<std::int64_t> failed_workflow_tasks_{0};
    std::atomic<std::int64_t> failed_activities_{0};
};

}  // namespace stele::sdk
