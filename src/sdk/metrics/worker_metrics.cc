#include "sdk/metrics/worker_metrics.h"

namespace stele::sdk {

WorkflowInstruments::WorkflowInstruments(const LabelledMeter& with_type)
    : completed(with_type.counter("workflow_completed")),
      cancelled(with_type.counter("workflow_canceled")),
      failed(with_type.counter("workflow_failed")),
      continued_as_new(with_type.counter("workflow_continue_as_new")),
      end_to_end(with_type.histogram("workflow_endtoend_latency")),
      task_schedule_to_start(with_type.histogram("workflow_task_schedule_to_start_latency")),
      task_replay(with_type.histogram("workflow_task_replay_latency")),
      task_execution(with_type.histogram("workflow_task_execution_latency")),
      meter(with_type) {}

ActivityInstruments::ActivityInstruments(const LabelledMeter& meter)
    : schedule_to_start(meter.histogram("activity_schedule_to_start_latency")),
      execution(meter.histogram("activity_execution_latency")),
      succeeded_end_to_end(meter.histogram("activity_succeed_endtoend_latency")),
      failed(meter.counter("activity_execution_failed")),
      cancelled(meter.counter("activity_execution_cancelled")) {}

LocalActivityInstruments::LocalActivityInstruments(const LabelledMeter& meter)
    : all(meter.counter("local_activity_total")),
      execution(meter.histogram("local_activity_execution_latency")),
      succeeded_end_to_end(meter.histogram("local_activity_succeed_endtoend_latency")),
      failed(meter.counter("local_activity_execution_failed")),
      cancelled(meter.counter("local_activity_execution_cancelled")) {}

WorkerMetrics::WorkerMetrics(LabelledMeter meter)
    : started(meter.counter("worker_start")),
      forced_evictions(meter.counter("sticky_cache_total_forced_eviction")),
      workflow_polls_with_task(meter.counter("workflow_task_queue_poll_succeed")),
      workflow_polls_empty(meter.counter("workflow_task_queue_poll_empty")),
      activity_polls_with_task(meter.counter("activity_task_received")),
      activity_polls_empty(meter.counter("activity_poll_no_task")),
      meter_(std::move(meter)),
      cache_size_(meter_.gauge("sticky_cache_size")),
      hit_counter_(meter_.counter("sticky_cache_hit")),
      miss_counter_(meter_.counter("sticky_cache_miss")) {}

}  // namespace stele::sdk
