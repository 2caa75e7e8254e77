#pragma once

#include "base/status.h"
#include "history/builder.h"

#include <string>
#include <string_view>
#include <utility>

// State from history. The same fold makes the state that a reset run begins with, and says what
// every stored state must agree with (invariant 10).
//
// A history does not tell everything. What it leaves open is as in a run to which nothing of the
// kind has happened: told_by_history names it. Not thread safe.
namespace stele::history {

/// What no event says of a run.
struct RunIdentity {
    std::string namespace_id;
    std::string namespace_name;
    std::string run_id;
    RunKey run_key;
    std::string create_request_id;
    /// When the run began. Event 1 of a run that a reset made is older than that.
    Timestamp start_time;
};

class Rebuild {
public:
    /// `limits` must outlive the rebuilding.
    Rebuild(RunIdentity identity, const Limits& limits)
        : identity_(std::move(identity)), limits_(limits) {}

    /// Folds the next events, which were written together: the bytes of an EventBatch. DATA_LOSS
    /// when they can not be read, do not follow the ones before, or tell of what does not exist.
    absl::Status add(std::string_view batch);

    const Run& run() const { return run_; }
    Run take() && { return std::move(run_); }

private:
    absl::Status add_event(const HistoryEvent& event);
    void fold_start(const HistoryEvent& event);
    // Each folds the events of one family and says whether the event was one of them.
    bool fold_task(const HistoryEvent& event);
    bool fold_activity(const HistoryEvent& event);
    bool fold_timer(const HistoryEvent& event);
    bool fold_external(const HistoryEvent& event);
    bool fold_child(const HistoryEvent& event);
    bool fold_nexus(const HistoryEvent& event);
    bool fold_run(const HistoryEvent& event);
    bool fold_close(const HistoryEvent& event);

    void fold_completed_task(const HistoryEvent& event);
    void close(temporal::api::enums::v1::WorkflowExecutionStatus status, const HistoryEvent& event,
               const std::string& successor_run_id = {});
    void restore_attached(
        const temporal::api::history::v1::WorkflowExecutionOptionsUpdatedEventAttributes& updated,
        const HistoryEvent& event);
    void remember_request(const std::string& request_id, const HistoryEvent& event);
    /// Takes a pending item away, which must be there.
    template <typename Row>
    void end(Table<Row>& pending, std::int64_t id, const HistoryEvent& event);

    RunIdentity identity_;
    const Limits& limits_;
    Run run_;
    absl::Status status_;  // of the event being folded
};

/// What a history tells of a run, and nothing else: two runs with the same history are the same
/// behind it. Taken away are the attempts, heartbeats and pauses of pending activities, what lies in
/// which queue, stickiness, attempts of the workflow task that left no events, the alarm, and the
/// links between a run and its reset. Events that are buffered tell nothing yet either, so a run
/// that has some can not be compared.
Run told_by_history(const Run& run);

}  // namespace stele::history
