#pragma once

#include "base/ids.h"
#include "base/status.h"
#include "base/time.h"
#include "history/priority.h"
#include "history/run.h"
#include "temporal/api/history/v1/message.pb.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

// A transition: all that one command does to a run, as a value. The shard writes it in one batch,
// then applies it in memory. Making one never changes the run that it was made from. What has to do
// with updates that no worker has accepted is applied in memory only.
namespace stele::history {

/// Events that were made together; stored under the id of the first as the serialised bytes of
/// temporal.api.history.v1.History, so that pages are made by joining bytes. Serialised once.
struct EventBatch {
    EventId first;
    EventId last;
    std::string bytes;
};

/// As temporal.api.enums.v1.TaskQueueType has them. Tasks of Nexus queues are never stored.
enum class QueueKind : std::uint8_t { kWorkflow = 1, kActivity = 2, kNexus = 3 };

/// A task that a queue is to hand to a worker; kept durably until it starts or is obsolete.
struct DispatchTask {
    QueueKind kind = QueueKind::kWorkflow;
    std::string task_queue;
    bool sticky = false;            // workflow tasks only: the queue of one worker
    std::string normal_task_queue;  // for a sticky queue: where to fall back
    std::int64_t sequence = 0;      // unique within the run; see WorkflowTask.dispatch_sequence
    storage::DispatchRow row;
};

/// Names a dispatch row that is no longer wanted.
struct DispatchRef {
    QueueKind kind = QueueKind::kWorkflow;
    std::string task_queue;
    std::int64_t sequence = 0;
    std::int32_t priority = kDefaultPriority;  // of the row, so that queues can be counted by it
};

/// The changed rows of one run.
struct Draft {
    explicit Draft(const Run& base);

    const Run* base;
    storage::HeaderRow header;                         // a copy, always rewritten
    std::optional<storage::InfoRow> info;              // only when new or changed
    std::optional<storage::AttributesRow> attributes;  // only when changed
    TableDraft<storage::ActivityRow> activities;
    TableDraft<storage::TimerRow> timers;
    TableDraft<storage::ChildRow> children;
    TableDraft<storage::ExternalRow> external_signals;
    TableDraft<storage::ExternalRow> external_cancels;
    TableDraft<storage::NexusOperationRow> nexus_operations;
    TableDraft<storage::BufferedEventRow> buffered;
    TableDraft<storage::RequestIdRow> request_ids;
    TableDraft<storage::UpdateRow> updates;
    TableDraft<storage::CallbackRow> callbacks;
    TableDraft<PendingUpdate> pending_updates;  // never written

    const storage::InfoRow& run_info() const { return info ? *info : base->info; }
    const storage::AttributesRow& run_attributes() const {
        return attributes ? *attributes : base->attributes;
    }
    /// What the rows of the run take up in the store.
    std::size_t bytes() const;
};

struct NewRun;

struct Transition {
    explicit Transition(const Run& base);

    Draft draft;
    /// Events to append, ascending. Usually one batch.
    std::vector<EventBatch> events;
    std::vector<DispatchTask> dispatch;
    std::vector<DispatchRef> dispatch_done;
    std::vector<storage::OutboxRow> outbox;
    /// The run's earliest deadline after this transition; kNever when there is none. The shard
    /// compares it with header.alarm and moves the alarm row only when it must.
    Timestamp alarm = kNever;
    /// Losing this transition costs nothing: it may be written without waiting for a sync.
    bool lazy = false;
    /// Nothing changed and nothing is to be written (for example a request id seen before).
    bool empty = false;
    /// Changes memory and is not written at all: updates that come and go, and the speculative tasks
    /// that carry them. It has no events; its dispatch tasks are offered without rows.
    bool in_memory = false;
    /// What became of updates, in order; whoever waits for them is told once this is durable.
    std::vector<UpdateChange> updates;
    /// The run closed in this transition.
    bool closed = false;
    /// Not OK: this transition does something else than what was asked for (it terminates a run that
    /// goes over a limit, it pauses an activity instead of starting it). The caller gets this status and no
    /// reply.
    absl::Status overruled;
    /// The run that takes over (continue-as-new), created in the same batch.
    std::vector<NewRun> successor;  // none or one
};

/// A run that begins to exist; `run` is the empty base that the transition's draft was made from.
struct NewRun {
    std::unique_ptr<Run> run;
    std::unique_ptr<Transition> transition;
};

inline Transition::Transition(const Run& base) : draft(base) {}

/// A transition and what its caller is told once it is durable.
template <typename Reply>
struct Applied {
    Transition transition;
    Reply reply;
};

/// Applies a transition to the run that it was made from. Afterwards the draft is spent.
void apply(Run& run, Transition& transition);

}  // namespace stele::history
