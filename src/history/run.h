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

    // Most transitions leave these two rows as they are, and each asks how large the run is.
    /// What `info` takes up in the store. Counted when first asked for; from then on it changes by `set_info`.
    std::size_t info_bytes() const {
        if (info_bytes_ == 0) info_bytes_ = info.ByteSizeLong();
        return info_bytes_;
    }
    void set_info(storage::InfoRow row) {
        info = std::move(row);
        info_bytes_ = 0;
    }
    /// The same for `attributes`.
    std::size_t attributes_bytes() const {
        if (attributes_bytes_ == 0) attributes_bytes_ = attributes.ByteSizeLong();
        return attributes_bytes_;
    }
    void set_attributes(storage::AttributesRow row) {
        attributes = std::move(row);
        attributes_bytes_ = 0;
    }

private:
    mutable std::size_t info_bytes_ = 0;
    mutable std::size_t attributes_bytes_ = 0;
};

}  // namespace stele::history
