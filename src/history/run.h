#pragma once

#include "history/rows.h"

// One run in memory: what the rows of the store hold, no more and no less.
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
    Table<storage::BufferedEventRow> buffered;           // by arrival
    Table<storage::RequestIdRow> request_ids;            // by arrival

    RunRef ref() const { return {info.namespace_id(), info.workflow_id(), info.run_id()}; }
    RunKey key() const { return RunKey(info.sequence()); }
    bool is_open() const {
        return header.status() == temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_RUNNING ||
               header.status() == temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_PAUSED;
    }
};

}  // namespace stele::history
