#include "base/probe.h"
#include "history/update.h"
#include "history/workflow_task.h"

#include <algorithm>
#include <cmath>
#include <utility>

// How a workflow task comes to wait in a queue: at once, on a sticky queue, or as a later attempt.
namespace stele::history {

namespace enums = temporal::api::enums::v1;

namespace {

constexpr std::int32_t kAttemptsWithoutBackoff = 3;
constexpr Duration kFirstBackoff = std::chrono::seconds(5);
constexpr Duration kLongestBackoff = std::chrono::minutes(10);
constexpr double kJitter = 0.2;

/// A worker that fails again and again is asked less and less often: its start-to-close timeout
/// grows, because nothing but that timeout brings the next attempt.
Duration start_to_close(const Builder& builder, std::int32_t attempt) {
    const Duration timeout = from_proto(builder.info().task_timeout());
    if (attempt <= kAttemptsWithoutBackoff) return timeout;
    STELE_PROBE("history.task-backs-off");
    const int doublings = std::min(attempt - kAttemptsWithoutBackoff - 1, 20);
    const double backoff =
        std::min(static_cast<double>(kFirstBackoff.count()) * std::exp2(doublings),
                 static_cast<double>(kLongestBackoff.count()));
    const double jittered = backoff * (1 - kJitter * builder.context().uniform());
    return timeout + Duration(static_cast<Duration::rep>(jittered));
}

/// Gives the task the queue of the worker that holds the run, or the normal one.
void choose_queue(const Builder& builder, storage::WorkflowTask& task) {
    const storage::HeaderRow& header = builder.header();
    if (header.sticky_task_queue().empty() || STELE_FAULT("history.not-sticky")) {
        task.set_task_queue(builder.info().task_queue());
        return;
    }
    task.set_on_sticky_queue(true);
    task.set_task_queue(header.sticky_task_queue());
    const Duration limit = from_proto(header.sticky_schedule_to_start());
    if (limit > Duration::zero()) {
        *task.mutable_schedule_to_start_deadline() = to_proto(add_saturating(builder.now(), limit));
    }
}

/// When nobody has taken a speculative task by then, it is written and scheduled anew: being offered
/// without a row it may have been forgotten.
constexpr Duration kSpeculativeScheduleToStart = std::chrono::seconds(5);

/// A task as it is scheduled now, but for its kind.
storage::WorkflowTask new_task(Builder& builder, std::int32_t attempt) {
    storage::HeaderRow& header = builder.header();
    header.set_task_stamp(header.task_stamp() + 1);
    storage::WorkflowTask task;
    task.set_attempt(attempt);
    task.set_stamp(header.task_stamp());
    *task.mutable_scheduled_time() = to_proto(builder.now());
    *task.mutable_original_scheduled_time() = to_proto(builder.now());
    *task.mutable_start_to_close() = to_proto(start_to_close(builder, attempt));
    choose_queue(builder, task);
    task.set_scheduled_event_id(header.next_event_id());
    return task;
}

/// Offers the scheduled task to any worker. Its deadline stays: when nobody takes it by then either,
/// the history tells that, and the next task waits without one. Whoever takes it makes the run forget
/// the worker that had it.
void move_to_normal_queue(Builder& builder) {
    STELE_PROBE("history.task-moved-to-normal-queue");
    storage::WorkflowTask& task = *builder.header().mutable_task();
    builder.withdraw_workflow_task_dispatch();
    task.set_on_sticky_queue(false);
    task.set_task_queue(builder.info().task_queue());
    limit_speculative_wait(builder);
    builder.dispatch_workflow_task();
}

}  // namespace

HistoryEvent scheduled_event(const storage::WorkflowTask& task, const storage::InfoRow& info) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    *event.mutable_event_time() = task.scheduled_time();
    auto& attributes = *event.mutable_workflow_task_scheduled_event_attributes();
    attributes.mutable_task_queue()->set_name(task.task_queue());
    if (task.on_sticky_queue()) {
        attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
        attributes.mutable_task_queue()->set_normal_name(info.task_queue());
    } else {
        attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    }
    *attributes.mutable_start_to_close_timeout() = task.start_to_close();
    attributes.set_attempt(task.attempt());
    return event;
}

void schedule_workflow_task(Builder& builder, Timestamp original, bool hand_over) {
    storage::HeaderRow& header = builder.header();
    STELE_CHECK(!builder.has_workflow_task(), "a workflow task was scheduled beside another");
    std::int32_t attempt = std::max(header.task().attempt(), 1);
    // What happened meanwhile may be what the worker needs to get on, so counting starts again.
    STELE_PROBE_IF("history.attempts-counted-anew", attempt > 1 && builder.has_buffered_events());
    if (builder.flush_buffered_events()) attempt = 1;

    storage::WorkflowTask task = new_task(builder, attempt);
    task.set_kind(attempt == 1 ? storage::TASK_KIND_NORMAL : storage::TASK_KIND_TRANSIENT);
    *task.mutable_original_scheduled_time() = to_proto(original);
    STELE_PROBE_IF("history.transient-task", task.kind() == storage::TASK_KIND_TRANSIENT);
    if (task.kind() == storage::TASK_KIND_NORMAL) {
        builder.add_event(scheduled_event(task, builder.info()));
    }
    header.set_first_task_pending(false);
    *header.mutable_task() = std::move(task);
    if (!hand_over) builder.dispatch_workflow_task();
}

void schedule_speculative_task(Builder& builder, bool hand_over) {
    STELE_CHECK(!builder.has_workflow_task(), "a workflow task was scheduled beside another");
    STELE_CHECK(!builder.has_buffered_events(), "events wait although no task is started");
    builder.keep_in_memory();
    storage::WorkflowTask task = new_task(builder, 1);
    task.set_kind(storage::TASK_KIND_SPECULATIVE);
    *builder.header().mutable_task() = std::move(task);
    limit_speculative_wait(builder);
    if (!hand_over) builder.dispatch_workflow_task();
}

Timestamp speculative_deadline(const Run& run) {
    return run.has_speculative_task() ? workflow_task_deadline(run.header) : kNever;
}

void limit_speculative_wait(Builder& builder) {
    storage::WorkflowTask& task = *builder.header().mutable_task();
    if (task.kind() != storage::TASK_KIND_SPECULATIVE) return;
    if (task.has_schedule_to_start_deadline()) return;
    *task.mutable_schedule_to_start_deadline() =
        to_proto(add_saturating(builder.now(), kSpeculativeScheduleToStart));
}

void drop_speculative_task(Builder& builder) {
    storage::WorkflowTask& task = *builder.header().mutable_task();
    if (task.kind() != storage::TASK_KIND_SPECULATIVE) return;
    task.Clear();
    task.set_attempt(1);
}

void Builder::defer_workflow_task(bool defer) {
    defer_workflow_task_ = defer;
    if (!defer && workflow_task_wanted_) schedule_workflow_task_if_needed();
}

void Builder::schedule_workflow_task_if_needed() {
    if (defer_workflow_task_) {
        workflow_task_wanted_ = true;
        return;
    }
    if (!is_open() || has_workflow_task()) return;
    if (header().first_task_pending() || header().awaits_parent()) return;
    if (header().status() == enums::WORKFLOW_EXECUTION_STATUS_PAUSED) return;
    schedule_workflow_task(*this, now(), false);
}

void forget_sticky_queue(storage::HeaderRow& header) {
    header.clear_sticky_task_queue();
    header.clear_sticky_schedule_to_start();
}

absl::StatusOr<Applied<None>> give_up_sticky(const Run& run, EventId scheduled, std::int64_t stamp,
                                             const Context& context) {
    Builder builder(run, context);
    const storage::WorkflowTask& task = builder.header().task();
    const bool waiting = builder.has_workflow_task() && !builder.has_started_workflow_task() &&
                         task.on_sticky_queue() && task.scheduled_event_id() == scheduled.value() &&
                         task.stamp() == stamp;
    if (!run.is_open() || !waiting) {
        builder.transition().empty = true;
        return Applied<None>{std::move(builder.transition()), {}};
    }
    if (run.has_speculative_task()) builder.keep_in_memory();
    move_to_normal_queue(builder);
    return Applied<None>{std::move(builder).finish(), {}};
}

absl::StatusOr<Applied<None>> reset_sticky(const Run& run, const Context& context) {
    Builder builder(run, context);
    if (!run.is_open()) return not_found("workflow execution already completed");
    if (run.header.sticky_task_queue().empty()) {
        builder.transition().empty = true;
        return Applied<None>{std::move(builder.transition()), {}};
    }
    const storage::WorkflowTask& task = builder.header().task();
    if (run.has_speculative_task()) builder.keep_in_memory();
    if (builder.has_workflow_task() && task.on_sticky_queue() && task.started_event_id() == 0) {
        move_to_normal_queue(builder);
    }
    forget_sticky_queue(builder.header());
    return Applied<None>{std::move(builder).finish(), {}};
}

}  // namespace stele::history
