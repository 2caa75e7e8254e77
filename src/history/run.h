#pragma once

#include "history/rows.h"

// One run in memory: what the rows of the store hold, and updates on their way to a worker.
namespace stele::history {

/// The state of one run. A plain value; only its shard changes it, by applying a transition.
struct Run {
    storage::InfoRow info;
    storage::HeaderRow header;
    storage::AttributesRow attributes;
    Table<storage::ActivityRow> activities;              // by scheduled event id
    Table<storage::TimerRow> timers;                     // by started event id
    Table<storage::ChildRow> children;                   // by initiated event id
    Table<storage::ExternalRow> external_signals;        // by initiated event id
    Table<storage::ExternalRow> external_cancels;        // by initiated event id
    Table<storage::NexusOperationRow> nexus_operations;  // by scheduled event id
    Table<storage::BufferedEventRow> buffered;           // by arrival
    Table<storage::RequestIdRow> request_ids;            // by arrival
    Table<storage::UpdateRow> updates;                   // by the first event that tells of it
    Table<storage::CallbackRow> callbacks;               // by arrival

    // In memory only. Beside it, a speculative workflow task in the header is not stored either.
    Table<PendingUpdate> pending_updates;  // by arrival

    RunRef ref() const { return {info.namespace_id(), info.workflow_id(), info.run_id()}; }
    RunKey key() const { return RunKey(info.sequence()); }
    bool has_speculative_task() const {
        return header.task().kind() == storage::TASK_KIND_SPECULATIVE;
    }
    /// There is something that a reload from the store would lose.
    bool holds_unwritten() const { return has_speculative_task() || !pending_updates.empty(); }
    bool is_open() const {
        return header.status() == temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_RUNNING ||
               header.status() == temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_PAUSED;
    }
};

}  // namespace stele::history
