#include "shard/commit.h"

#include "base/probe.h"
#include "shard/loader.h"
#include "store/keys.h"

#include <utility>

namespace stele::shard {
namespace {

using store::StateKind;
using store::Table;

/// Leaves 2^37 runs per slot, and per run more numbers than any pending row can outlive.
constexpr int kNumberBits = 26;

template <typename Row>
void write_table(store::WriteBatch& batch, RunAddress address, StateKind kind,
                 const history::TableDraft<Row>& draft) {
    for (const auto& [item, row] : draft.changes()) {
        std::string key = store::encode(store::StateKey{address.slot, address.key, kind, item});
        if (row) {
            batch.put(std::move(key), store::wrap_message(Table::kState, *row));
        } else {
            batch.erase(std::move(key));
        }
    }
}

std::string state_key(RunAddress address, StateKind kind) {
    return store::encode(store::StateKey{address.slot, address.key, kind, 0});
}

void write_state(store::WriteBatch& batch, RunAddress address, const history::Draft& draft) {
    write_header(batch, address, draft.header);
    if (draft.info) {
        batch.put(state_key(address, StateKind::kInfo),
                  store::wrap_message(Table::kState, *draft.info));
    }
    if (draft.attributes) {
        batch.put(state_key(address, StateKind::kAttributes),
                  store::wrap_message(Table::kState, *draft.attributes));
    }
    write_table(batch, address, StateKind::kActivity, draft.activities);
    write_table(batch, address, StateKind::kTimer, draft.timers);
    write_table(batch, address, StateKind::kChild, draft.children);
    write_table(batch, address, StateKind::kExternalSignal, draft.external_signals);
    write_table(batch, address, StateKind::kExternalCancel, draft.external_cancels);
    write_table(batch, address, StateKind::kNexusOperation, draft.nexus_operations);
    write_table(batch, address, StateKind::kBufferedEvent, draft.buffered);
    write_table(batch, address, StateKind::kRequestId, draft.request_ids);
    write_table(batch, address, StateKind::kUpdate, draft.updates);
    write_table(batch, address, StateKind::kCallback, draft.callbacks);
}

void write_tasks(store::WriteBatch& batch, RunAddress address,
                 const history::Transition& transition) {
    const std::string& namespace_id = transition.draft.run_info().namespace_id();
    for (const history::DispatchTask& task : transition.dispatch) {
        if (STELE_BUG("commit.task-row-lost") && task.sequence % 8 == 0) continue;
        batch.put_new(dispatch_key(address.slot, {namespace_id, task.task_queue, task.kind},
                                   row_sequence(address.key, task.sequence)),
                      store::wrap_message(Table::kDispatch, task.row));
    }
    // Behind the new ones: a task may be made and withdrawn in one transition.
    for (const history::DispatchRef& done : transition.dispatch_done) {
        if (STELE_BUG("commit.task-row-kept") && done.sequence % 8 == 0) continue;
        batch.erase(dispatch_key(address.slot, {namespace_id, done.task_queue, done.kind},
                                 row_sequence(address.key, done.sequence)));
    }
    for (const storage::OutboxRow& row : transition.outbox) {
        batch.put(store::encode(store::OutboxKey{
                      address.slot, row_sequence(address.key, row.initiated_event_id())}),
                  store::wrap_message(Table::kOutbox, row));
    }
}

}  // namespace

std::int64_t row_sequence(RunKey run, std::int64_t number) {
    constexpr std::int64_t kMask = (std::int64_t{1} << kNumberBits) - 1;
    return (run.value() << kNumberBits) | (number & kMask);
}

AlarmChange move_alarm(storage::HeaderRow& header, Timestamp earliest, bool closed, Timestamp now) {
    const Timestamp row = header.has_alarm() ? from_proto(header.alarm()) : kNever;
    const bool rung = row != kNever && row <= now;
    STELE_PROBE_IF("commit.alarm-rung", rung);
    const bool moves = closed || rung || earliest < row;
    if (!moves || earliest == row) return {};
    if (earliest == kNever) {
        header.clear_alarm();
    } else {
        *header.mutable_alarm() = to_proto(earliest);
    }
    return {row, earliest};
}

void write_header(store::WriteBatch& batch, RunAddress address, const storage::HeaderRow& header) {
    if (header.task().kind() == storage::TASK_KIND_SPECULATIVE) {
        STELE_PROBE("commit.header-without-speculative-task");
        storage::HeaderRow written = header;
        written.clear_task();
        written.mutable_task()->set_attempt(1);
        return write_header(batch, address, written);
    }
    batch.put(state_key(address, StateKind::kHeader), store::wrap_message(Table::kState, header));
}

void write_alarm(store::WriteBatch& batch, RunAddress address, const AlarmChange& alarm) {
    if (alarm.erased != kNever && !STELE_BUG("alarm.row-kept")) {
        batch.erase(store::encode(store::AlarmKey{address.slot, alarm.erased, address.key}));
    }
    if (alarm.set != kNever) {
        batch.put_new(store::encode(store::AlarmKey{address.slot, alarm.set, address.key}),
                      store::wrap_value(Table::kAlarm, {}));
    }
}

void write_transition(store::WriteBatch& batch, RunAddress address,
                      const history::Transition& transition, const AlarmChange& alarm,
                      bool is_new) {
    write_state(batch, address, transition.draft);
    for (const history::EventBatch& events : transition.events) {
        batch.put(store::encode(store::EventsKey{address.slot, address.key, events.first}),
                  store::wrap_value(Table::kEvents, events.bytes));
    }
    write_tasks(batch, address, transition);
    write_alarm(batch, address, alarm);
    if (is_new) {
        const storage::InfoRow& info = transition.draft.run_info();
        batch.put(store::encode(store::RunRowKey{
                      address.slot, {info.namespace_id(), info.workflow_id(), info.run_id()}}),
                  encode_run_value(address.key));
    }
}

storage::CurrentRow make_current(const storage::InfoRow& info, const storage::HeaderRow& header) {
    storage::CurrentRow row;
    row.set_run_id(info.run_id());
    row.set_run_key(info.sequence());
    row.set_status(header.status());
    row.set_create_request_id(info.create_request_id());
    row.set_first_execution_run_id(info.first_execution_run_id());
    *row.mutable_start_time() = info.start_time();
    if (header.has_close_time()) *row.mutable_close_time() = header.close_time();
    return row;
}

void write_current(store::WriteBatch& batch, Slot slot, const RunRef& workflow,
                   const storage::CurrentRow& row) {
    batch.put(store::encode(store::CurrentKey{slot, workflow.namespace_id, workflow.workflow_id}),
              store::wrap_message(Table::kCurrent, row));
}

TaskOffer make_offer(QueueId queue, RunAddress address, std::int64_t sequence,
                     const storage::DispatchRow& row) {
    TaskOffer offer;
    offer.queue = std::move(queue);
    offer.sticky = row.sticky();
    offer.slot = address.slot;
    offer.run_key = address.key;
    offer.sequence = sequence;
    offer.scheduled = EventId(row.scheduled_event_id());
    offer.stamp = row.stamp();
    offer.created = from_proto(row.created());
    if (row.has_expires()) offer.expires = from_proto(row.expires());
    offer.priority = history::queue_priority(row.priority());
    offer.fairness_key = row.priority().fairness_key();
    offer.fairness_weight = row.priority().fairness_weight();
    return offer;
}

std::string dispatch_key(Slot slot, const QueueId& queue, std::int64_t sequence) {
    return store::encode(store::DispatchKey{slot, static_cast<store::QueueKind>(queue.kind),
                                            queue.namespace_id, queue.name, sequence});
}

}  // namespace stele::shard
