#include "history/builder.h"

#include "base/probe.h"
#include "history/payload_stats.h"
#include "history/update_family.h"
#include "history/workflow_task.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <utility>

namespace stele::history {

namespace {

/// The same bytes for the same message, whatever order its maps happen to have in memory.
std::string serialize(const google::protobuf::Message& message) {
    std::string bytes(message.ByteSizeLong(), '\0');
    google::protobuf::io::ArrayOutputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeWithCachedSizes(&coded);
    STELE_CHECK(!coded.HadError(), "events can not be serialised");
    return bytes;
}

/// Grows along a run and from each run of a workflow id to the next. Made of what the event has
/// anyway, so that nothing need be counted or kept.
std::int64_t event_task_id(const storage::InfoRow& info, EventId id) {
    return event_task_base(info) + id.value();
}

/// The priority that a dispatch row was counted under; rows of earlier versions do not say.
std::int32_t counted_priority(std::int32_t stored) {
    return stored == 0 ? kDefaultPriority : stored;
}

}  // namespace

std::int64_t event_task_base(const storage::InfoRow& info) {
    constexpr int kEventBits = 26;  // far more events than any limit lets a run have
    return info.event_task_base() != 0 ? info.event_task_base() : info.sequence() << kEventBits;
}

Builder::Builder(const Run& run, const Context& context) : context_(context), transition_(run) {}

bool Builder::is_open() const {
    using namespace temporal::api::enums::v1;
    return header().status() == WORKFLOW_EXECUTION_STATUS_RUNNING ||
           header().status() == WORKFLOW_EXECUTION_STATUS_PAUSED;
}

EventId Builder::add_event(HistoryEvent event) {
    STELE_CHECK(!transition_.in_memory, "an event was added to what stays in memory");
    write_speculative_task();
    const EventId id(header().next_event_id());
    const bool reused =
        STELE_BUG("history.event-id-reused") && event.has_timer_started_event_attributes();
    header().set_next_event_id(reused ? id.value() : id.next().value());
    event.set_event_id(id.value());
    event.set_task_id(event_task_id(info(), id));
    // A buffered event keeps the time at which it arrived.
    if (!event.has_event_time()) *event.mutable_event_time() = to_proto(now());
    if (context_.limits->external_payloads) count_external_payloads(event, header());
    *history_.add_events() = std::move(event);
    return id;
}

ItemId Builder::next_item() {
    header().set_next_item_sequence(header().next_item_sequence() + 1);
    return header().next_item_sequence();
}

void Builder::remember_request(const std::string& request_id, EventId event, EventType event_type) {
    if (request_id.empty()) return;
    storage::RequestIdRow row;
    row.set_sequence(next_item());
    row.set_request_id(request_id);
    row.set_event_id(event.value());
    row.set_event_type(event_type);
    const ItemId id = row.sequence();
    draft().request_ids.insert(id, std::move(row));
}

// ---- Dispatch ------------------------------------------------------------------------------

void Builder::dispatch(DispatchTask task) {
    task.row.set_run_key(info().sequence());
    task.row.set_workflow_id(info().workflow_id());
    task.row.set_run_id(info().run_id());
    *task.row.mutable_created() = to_proto(now());
    transition_.dispatch.push_back(std::move(task));
}

void Builder::withdraw(DispatchRef row) {
    // A row that this very transition made is simply not written.
    const std::size_t erased = std::erase_if(transition_.dispatch, [&](const DispatchTask& task) {
        return task.sequence == row.sequence;
    });
    if (erased == 0) transition_.dispatch_done.push_back(std::move(row));
}

void Builder::dispatch_activity(storage::ActivityRow& activity,
                                const temporal::api::common::v1::Priority& priority) {
    STELE_CHECK(activity.dispatch_sequence() == 0, "an activity was put into its queue twice");
    header().set_dispatch_sequence(header().dispatch_sequence() + 1);
    activity.set_dispatch_sequence(header().dispatch_sequence());
    activity.set_dispatch_priority(queue_priority(priority));
    DispatchTask task;
    task.kind = QueueKind::kActivity;
    task.task_queue = activity.task_queue();
    task.sequence = activity.dispatch_sequence();
    task.row.set_scheduled_event_id(activity.scheduled_event_id());
    task.row.set_stamp(activity.stamp());
    task.row.set_attempt(activity.attempt());
    *task.row.mutable_priority() = priority;
    const Duration limit = from_proto(activity.schedule_to_start());
    if (limit > Duration::zero()) {
        *task.row.mutable_expires() = to_proto(add_saturating(now(), limit));
    }
    dispatch(std::move(task));
}

void Builder::withdraw_activity_dispatch(storage::ActivityRow& activity) {
    if (activity.dispatch_sequence() == 0) return;
    withdraw({QueueKind::kActivity, activity.task_queue(), activity.dispatch_sequence(),
              counted_priority(activity.dispatch_priority())});
    activity.set_dispatch_sequence(0);
}

void Builder::dispatch_workflow_task() {
    storage::WorkflowTask& pending = *header().mutable_task();
    STELE_CHECK(pending.dispatch_sequence() == 0, "a workflow task was put into its queue twice");
    header().set_dispatch_sequence(header().dispatch_sequence() + 1);
    pending.set_dispatch_sequence(header().dispatch_sequence());
    pending.set_dispatch_priority(queue_priority(info().priority()));
    dispatch(workflow_dispatch_task());
}

DispatchTask Builder::workflow_dispatch_task() const {
    const storage::WorkflowTask& pending = header().task();
    DispatchTask task;
    task.kind = QueueKind::kWorkflow;
    task.task_queue = pending.task_queue();
    task.sticky = pending.on_sticky_queue();
    task.normal_task_queue = info().task_queue();
    task.sequence = pending.dispatch_sequence();
    task.row.set_scheduled_event_id(pending.scheduled_event_id());
    task.row.set_stamp(pending.stamp());
    task.row.set_attempt(pending.attempt());
    task.row.set_sticky(pending.on_sticky_queue());
    *task.row.mutable_priority() = info().priority();
    if (pending.has_schedule_to_start_deadline()) {
        *task.row.mutable_expires() = pending.schedule_to_start_deadline();
    }
    return task;
}

void Builder::withdraw_workflow_task_dispatch() {
    storage::WorkflowTask& pending = *header().mutable_task();
    if (pending.dispatch_sequence() == 0) return;
    // A speculative task was offered without a row.
    if (pending.kind() != storage::TASK_KIND_SPECULATIVE) {
        withdraw({QueueKind::kWorkflow, pending.task_queue(), pending.dispatch_sequence(),
                  counted_priority(pending.dispatch_priority())});
    }
    pending.set_dispatch_sequence(0);
}

void Builder::write_speculative_task(const std::string& identity) {
    storage::WorkflowTask& task = *header().mutable_task();
    if (task.kind() != storage::TASK_KIND_SPECULATIVE) return;
    STELE_CHECK(task.scheduled_event_id() == header().next_event_id(),
                "events were written beside a speculative task");
    task.set_kind(storage::TASK_KIND_NORMAL);
    header().set_first_task_pending(false);
    add_event(scheduled_event(task, info()));
    if (task.started_event_id() == 0) {
        // On offer already, under the number that its row gets now.
        if (task.dispatch_sequence() != 0) dispatch(workflow_dispatch_task());
        return;
    }
    task.set_identity(identity);
    add_event(started_event(task));
}

// ---- The end -------------------------------------------------------------------------------

Transition Builder::finish() && {
    if (transition_.in_memory) {
        STELE_CHECK(history_.events_size() == 0, "what stays in memory has events");
        transition_.alarm = earliest_deadline(transition_.draft);
        return std::move(transition_);
    }
    if (is_open()) write_speculative_task();
    if (const char* reason = exceeded_limit(*this)) {
        Builder instead(*transition_.draft.base, context_);
        TerminateInput input;
        input.reason = reason;
        input.identity = kHistoryServiceIdentity;
        terminate_run(instead, input);
        Transition terminated = std::move(instead).seal();
        terminated.overruled = invalid_argument(reason);
        return terminated;
    }
    bound_buffer(*this);
    return std::move(*this).seal();
}

Transition Builder::seal() && {
    if (!has_started_workflow_task()) flush_buffered_events();
    if (transition_.closed) end_updates(*this);
    storage::HeaderRow& header_row = header();
    header_row.set_state_transition_count(header_row.state_transition_count() + 1);
    if (history_.events_size() > 0) {
        EventBatch batch;
        batch.first = EventId(history_.events(0).event_id());
        batch.last = EventId(history_.events(history_.events_size() - 1).event_id());
        STELE_CHECK(batch.last.next().value() == header_row.next_event_id(),
                    "the events of a transition are not contiguous");
        batch.bytes = serialize(history_);
        header_row.set_last_batch_first_event_id(batch.first.value());
        header_row.set_history_size_bytes(header_row.history_size_bytes() +
                                          static_cast<std::int64_t>(batch.bytes.size()));
        transition_.events.push_back(std::move(batch));
    }
    transition_.alarm = earliest_deadline(transition_.draft);
    return std::move(transition_);
}

}  // namespace stele::history
