#pragma once

#include "history/builder.h"
#include "temporal/api/protocol/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include <vector>

// Everything that can be done to a run. Each function looks at the run, refuses with a status that
// a caller can read, or returns the transition that does it. None changes the run, reads a clock or
// draws a random number. Requests have passed the frontend: names are within limits, defaults filled.
namespace stele::history {

namespace api = temporal::api;
namespace service = temporal::api::workflowservice::v1;

struct None {};

// ---- start.cc ------------------------------------------------------------------------------

struct SignalInput {
    std::string name;
    api::common::v1::Payloads input;
    api::common::v1::Header header;
    std::string identity;
    std::string request_id;  // empty: not deduplicated
    std::vector<api::common::v1::Link> links;
    api::common::v1::WorkflowExecution external_source;  // of a signal from another workflow
    std::int64_t external_initiated_event_id = 0;
    /// Signal-with-start on a run whose first task is still being delayed starts that task.
    bool skip_start_delay = false;
};

/// Whose child a run is.
struct ParentLink {
    std::string namespace_id;
    std::string namespace_name;
    api::common::v1::WorkflowExecution execution;
    EventId initiated;  // in the history of the parent
    api::common::v1::WorkflowExecution root;
    /// Of the versioned worker that the child is to stay with, where its parent wants it so.
    std::optional<api::common::v1::WorkerVersionStamp> worker_version = {};
};

struct StartInput {
    std::string namespace_id;
    std::string namespace_name;
    service::StartWorkflowExecutionRequest request;
    std::string run_id;
    RunKey run_key;
    std::optional<SignalInput> signal;  // signal-with-start
    std::optional<ParentLink> parent;   // of a child
};

/// A new run: event 1, the signal if any, and the first workflow task unless the start is delayed or
/// waits for the parent to record it.
absl::StatusOr<NewRun> start_workflow(StartInput input, const Context& context);

// ---- signal.cc, cancel.cc, terminate.cc ----------------------------------------------------

/// Refuses a closed run with NOT_FOUND and more signals than the limit; empty when the request id is known.
absl::StatusOr<Applied<None>> signal_workflow(const Run& run, const SignalInput& input,
                                              const Context& context);

struct CancelInput {
    std::string reason;
    std::string identity;
    std::string request_id;
    api::common::v1::WorkflowExecution external_source;
    std::int64_t external_initiated_event_id = 0;
    std::vector<api::common::v1::Link> links;
};
/// Idempotent: empty when the run is closed or cancellation was requested before.
absl::StatusOr<Applied<None>> request_cancel(const Run& run, const CancelInput& input,
                                             const Context& context);

struct TerminateInput {
    std::string reason;
    api::common::v1::Payloads details;
    std::string identity;
    std::vector<api::common::v1::Link> links;
};
absl::StatusOr<Applied<None>> terminate_workflow(const Run& run, const TerminateInput& input,
                                                 const Context& context);

// ---- workflow_task.cc ----------------------------------------------------------------------

/// What a worker must present to speak for a started workflow task. Signed by the frontend.
struct WorkflowTaskToken {
    EventId scheduled;
    EventId started;
    std::int32_t attempt = 0;
    std::int64_t stamp = 0;
    Timestamp started_time;
};

struct StartWorkflowTaskInput {
    EventId scheduled;
    std::int64_t stamp = 0;
    std::string request_id;  // of the poll; the same one gets the same answer again
    std::string identity;
    std::string task_queue;  // the queue that was polled
    api::common::v1::WorkerVersionCapabilities worker_version;
};

/// All that a poll response needs beside stored history.
struct StartedWorkflowTask {
    WorkflowTaskToken token;
    EventId previous_started;
    EventId started;
    std::int32_t attempt = 0;
    Timestamp scheduled_time;
    Timestamp started_time;
    bool sticky = false;                    // history may begin after previous_started
    EventId last_stored;                    // the last event that is in the store for this task
    std::vector<HistoryEvent> synthesised;  // scheduled and started of a task that is not stored
    std::vector<api::protocol::v1::Message> messages;  // updates for the worker, oldest first
};

/// The events of a transient or speculative task, which are not stored until it is completed: they
/// end the history that workers and other programs read. Empty when the task has written its events.
std::vector<HistoryEvent> transient_events(const Run& run);

/// Records the start (event or, when transient, only in the row; a speculative one in memory). The
/// transition is lazy. A stale task gives NOT_FOUND and means that its dispatch row is obsolete.
absl::StatusOr<Applied<StartedWorkflowTask>> start_workflow_task(
    const Run& run, const StartWorkflowTaskInput& input, const Context& context);

struct CompletedWorkflowTask {
    /// Set when the completion was refused: the transition then records the failed task (or is
    /// empty) and the worker gets this error.
    absl::Status refusal;
    /// The next task, already started for the same worker, if it asked for it and there is one.
    std::optional<StartedWorkflowTask> next;
    /// Activities that were started in place (eager execution); scheduled event ids.
    std::vector<EventId> eager_activities;
    /// Updates wait and the worker asked for the next task: start_next_speculative_task gives it.
    bool speculative_next = false;
    /// Nothing of the (speculative) task remains: the worker goes back to this event.
    EventId reset_history_event;
};

/// All or nothing: the completed event, then every command in order, then the messages that no
/// command named, then buffered events and the next task. A speculative task that brought nothing but
/// rejected updates leaves no event at all. Commands that can not be obeyed fail the task instead (reply.refusal). A stale token
/// is a status and changes nothing.
absl::StatusOr<Applied<CompletedWorkflowTask>> complete_workflow_task(
    const Run& run, const WorkflowTaskToken& token,
    const service::RespondWorkflowTaskCompletedRequest& request, const Context& context);

/// Whether the token speaks for the task that is started now. NOT_FOUND otherwise.
absl::Status check_task_token(const Run& run, const WorkflowTaskToken& token);

/// The completion of the started task is larger than a task may have. Later attempts would give the
/// same, so the run is terminated.
absl::StatusOr<Applied<CompletedWorkflowTask>> refuse_completion(
    const Run& run, const service::RespondWorkflowTaskCompletedRequest& request,
    const Context& context);

absl::StatusOr<Applied<None>> fail_workflow_task(
    const Run& run, const WorkflowTaskToken& token,
    const service::RespondWorkflowTaskFailedRequest& request, const Context& context);

/// The worker behind a sticky queue is gone: the scheduled task moves to the normal queue. Empty
/// when the task has started or moved on.
absl::StatusOr<Applied<None>> give_up_sticky(const Run& run, EventId scheduled, std::int64_t stamp,
                                             const Context& context);
/// Forgets stickiness (ResetStickyTaskQueue, or a query that found no sticky worker).
absl::StatusOr<Applied<None>> reset_sticky(const Run& run, const Context& context);

// ---- activity.cc ---------------------------------------------------------------------------

struct ActivityToken {
    EventId scheduled;
    std::int32_t attempt = 0;
    std::int64_t stamp = 0;
    std::string activity_id;  // by-id forms: scheduled is kNoEvent and attempt is not checked
    bool by_id = false;
};

struct StartActivityInput {
    EventId scheduled;
    std::int64_t stamp = 0;
    std::string request_id;
    std::string identity;
    std::string control_task_queue = {};  // where the worker listens for commands; empty: nowhere
};

struct StartedActivity {
    ActivityToken token;
    storage::ActivityRow row;  // as of the start
};

absl::StatusOr<Applied<StartedActivity>> start_activity(const Run& run,
                                                        const StartActivityInput& input,
                                                        const Context& context);

struct HeartbeatReply {
    bool cancel_requested = false;
    bool paused = false;
    bool reset = false;
};
absl::StatusOr<Applied<HeartbeatReply>> record_heartbeat(const Run& run, const ActivityToken& token,
                                                         const api::common::v1::Payloads& details,
                                                         const std::string& identity,
                                                         const Context& context);
absl::StatusOr<Applied<None>> complete_activity(const Run& run, const ActivityToken& token,
                                                const api::common::v1::Payloads& result,
                                                const std::string& identity,
                                                const Context& context);
/// Retries by the policy, or writes the failure.
absl::StatusOr<Applied<None>> fail_activity(
    const Run& run, const ActivityToken& token, const api::failure::v1::Failure& failure,
    const std::optional<api::common::v1::Payloads>& last_heartbeat_details,
    const std::string& identity, const Context& context);
/// Refused with INVALID_ARGUMENT when cancellation was not requested.
absl::StatusOr<Applied<None>> cancel_activity(const Run& run, const ActivityToken& token,
                                              const api::common::v1::Payloads& details,
                                              const std::string& identity, const Context& context);

// ---- external.cc ---------------------------------------------------------------------------

/// The outbox delivered a signal or cancel request, or learnt that it never can.
struct ExternalOutcome {
    std::optional<api::enums::v1::SignalExternalWorkflowExecutionFailedCause> signal_failure;
    std::optional<api::enums::v1::CancelExternalWorkflowExecutionFailedCause> cancel_failure;
};
absl::StatusOr<Applied<None>> finish_external_signal(const Run& run, EventId initiated,
                                                     const ExternalOutcome& outcome,
                                                     const Context& context);
absl::StatusOr<Applied<None>> finish_external_cancel(const Run& run, EventId initiated,
                                                     const ExternalOutcome& outcome,
                                                     const Context& context);

// ---- deadlines.cc --------------------------------------------------------------------------

/// Does everything that is due at context.now, in order of its deadline: timers, activity timeouts and
/// retries, workflow task timeouts, sticky fall-back, delayed first task, run and execution
/// timeouts. Empty when nothing is due.
absl::StatusOr<Applied<None>> fire_due(const Run& run, const Context& context);

// ---- return_task.cc ------------------------------------------------------------------------

/// The poll that started the task has gone before it was answered: the task waits again as if it
/// had never been started. The reply is the Started event, which the caller must withdraw from the
/// history together with what this transition changes; kNoEvent for a transient task, which has none.
/// Only for a start that nobody has seen. NOT_FOUND when the token is not that of the started
/// task; FAILED_PRECONDITION when other events stand behind its start. Lazy.
absl::StatusOr<Applied<EventId>> return_workflow_task(const Run& run,
                                                      const WorkflowTaskToken& token,
                                                      const Context& context);
/// The same for an activity attempt, which leaves no event before it ends.
absl::StatusOr<Applied<None>> return_activity(const Run& run, const ActivityToken& token,
                                              const Context& context);

// ---- describe.cc ---------------------------------------------------------------------------

/// Configuration, info and pending items of a run, as DescribeWorkflowExecution shows them.
service::DescribeWorkflowExecutionResponse describe(const Run& run,
                                                    const Limits& limits = Limits());

}  // namespace stele::history
