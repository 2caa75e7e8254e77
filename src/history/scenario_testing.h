#pragma once

#include "history/commands.h"
#include "history/nexus_endpoints.h"

#include <map>
#include <string>
#include <vector>

// Plays one run for tests: holds its state, applies transitions as a shard would, keeps the queues
// that the dispatch rows make up and checks after each step what must always hold. Not thread safe.
namespace stele::history::testing {

using api::command::v1::Command;

/// A history in compact text, one event a line: number, type, and what matters of the attributes.
std::string to_text(const api::history::v1::History& history);

// Commands with the least that makes them valid; tests change the rest.
Command schedule_activity(const std::string& id,
                          Duration start_to_close = std::chrono::seconds(10));
Command cancel_activity(std::int64_t scheduled);
Command start_timer(const std::string& id, Duration after);
Command complete_workflow();
Command signal_external(const std::string& workflow_id, const std::string& signal);
Command cancel_external(const std::string& workflow_id);

api::common::v1::Payloads payloads(const std::string& text);
api::failure::v1::Failure application_failure(const std::string& message,
                                              bool non_retryable = false);

class Scenario {
public:
    Scenario();

    // ---- The world -------------------------------------------------------------------------
    Timestamp now() const { return now_; }
    void set_now(Timestamp now) { now_ = now; }
    /// Lets time pass, firing what is due exactly when it is due.
    void advance(Duration duration);
    Limits& limits() { return limits_; }
    /// Names and ids of the namespaces beside the run's own.
    std::map<std::string, std::string>& other_namespaces() { return other_namespaces_; }
    void set_endpoints(const NexusEndpoints* endpoints) { endpoints_ = endpoints; }
    Context context();

    // ---- The run ---------------------------------------------------------------------------
    /// Starts the run; `change` may adjust the request.
    void start(const std::function<void(StartInput&)>& change = {});
    const Run& run() const { return *run_; }
    const api::history::v1::History& history() const { return history_; }
    std::string text() const { return to_text(history_); }
    /// The history after event `after`.
    std::string text_after(std::int64_t after) const;
    std::int64_t last_event() const { return history_.events_size(); }
    /// The history as a store has it.
    const std::vector<EventBatch>& batches() const { return batches_; }

    /// Applies a transition, or fails the test with the status.
    template <typename Reply>
    Reply apply(absl::StatusOr<Applied<Reply>> applied) {
        expect_ok(applied.status());
        if (!applied.ok()) return Reply();
        take(applied->transition);
        return std::move(applied->reply);
    }

    // ---- The worker ------------------------------------------------------------------------
    /// Takes the workflow task from its queue; it must be there.
    StartedWorkflowTask start_task();
    /// Completes the task that was started last.
    CompletedWorkflowTask complete_task(std::vector<Command> commands);
    /// The same with the whole request.
    CompletedWorkflowTask complete_task_with(
        const service::RespondWorkflowTaskCompletedRequest& request);
    /// Both.
    CompletedWorkflowTask run_task(std::vector<Command> commands);
    /// Takes an attempt of this activity from its queue; it must be there.
    StartedActivity start_activity(const std::string& activity_id);
    void complete_activity(const ActivityToken& token);
    void fail_activity(const ActivityToken& token, const api::failure::v1::Failure& failure);
    absl::StatusOr<Applied<None>> try_fire();

    // ---- Clients ---------------------------------------------------------------------------
    void signal(const std::string& name, const std::string& request_id = "");
    void terminate();

    const storage::ActivityRow* activity(const std::string& activity_id) const;
    bool activity_is_queued(const std::string& activity_id) const;
    std::size_t queued_activities() const;
    bool workflow_task_is_queued() const;
    const std::vector<storage::OutboxRow>& outbox() const { return outbox_; }
    static ActivityToken by_id(const std::string& activity_id);

private:
    void take(Transition& transition);
    void check_always_true() const;
    static void expect_ok(const absl::Status& status);

    Timestamp now_{std::chrono::hours(480'000)};
    Limits limits_;
    std::map<std::string, std::string> other_namespaces_;
    const NexusEndpoints* endpoints_ = nullptr;
    std::int64_t ids_ = 0;
    std::unique_ptr<Run> run_;
    api::history::v1::History history_;
    std::vector<EventBatch> batches_;
    std::map<std::int64_t, DispatchTask> queued_;  // by dispatch sequence
    std::optional<DispatchTask> unwritten_;        // offered last without a row
    std::vector<storage::OutboxRow> outbox_;
    WorkflowTaskToken task_;
    Timestamp alarm_ = kNever;
};

}  // namespace stele::history::testing
