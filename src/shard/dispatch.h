#pragma once

#include "base/call.h"
#include "base/ids.h"
#include "history/commands.h"

#include <compare>
#include <map>
#include <string>
#include <utility>
#include <vector>

// What passes between shards and matching: shards offer tasks, matching pairs them with polls and
// asks the shard to record the start. Matching forgets everything in a crash; the shards offer
// again what their dispatch rows hold.
namespace stele::shard {

using history::QueueKind;

/// A task queue as users name it. Sticky queues are ordinary queues with another life.
struct QueueId {
    std::string namespace_id;
    std::string name;
    QueueKind kind = QueueKind::kWorkflow;

    auto operator<=>(const QueueId&) const = default;
    template <typename H>
    friend H AbslHashValue(H state, const QueueId& queue) {
        return H::combine(std::move(state), queue.name, queue.namespace_id, queue.kind);
    }
};

/// A task on offer; small, because a backlog of them is held in memory.
struct TaskOffer {
    QueueId queue;
    bool sticky = false;
    Slot slot = 0;
    RunKey run_key;
    std::int64_t sequence = 0;  // with slot and run_key it names the dispatch row
    EventId scheduled;
    std::int64_t stamp = 0;
    Timestamp created;
    Timestamp expires = kNever;
    std::int32_t priority = history::kDefaultPriority;
    std::string fairness_key;
    float fairness_weight = 0;  // 0: the default of 1
};

/// How many tasks of a queue wait, by priority.
using QueueBacklog = std::map<std::int32_t, std::int64_t>;

/// The oldest tasks that a queue's durable backlog holds in one shard. They come in one piece: while
/// single offers arrive, tasks leave the window, and then nobody could tell whether all were taken.
struct BacklogPart {
    QueueId queue;
    std::vector<TaskOffer> tasks;  // oldest first
    bool more = false;             // the shard has others beyond these
};

/// A question to a worker that leaves no trace in history: matched only while somebody waits.
struct QueryOffer {
    QueueId queue;
    bool sticky = false;
    RunRef run;
    std::string query_id;       // names the wait in the shard; goes into the worker's token
    std::string workflow_type;
    Timestamp deadline = kNever;
};

/// One or more batches of events in order, as serialised temporal.api.history.v1.History; joining the
/// strings gives the serialised whole.
struct HistoryPage {
    std::vector<std::string> batches;
    EventId next;  // first event that is not in the page; kNoEvent when nothing is left
};

/// A workflow task as a poll answers it.
struct PolledWorkflowTask {
    RunRef run;
    std::string workflow_type;
    std::string task_queue;  // the run's normal queue
    history::StartedWorkflowTask task;
    HistoryPage history;
    /// Queries that ride along, by query id.
    std::vector<std::pair<std::string, temporal::api::query::v1::WorkflowQuery>> queries;
    /// Set when the task is nothing but a query (answered by RespondQueryTaskCompleted).
    std::optional<std::pair<std::string, temporal::api::query::v1::WorkflowQuery>> direct_query;
    std::int64_t backlog_hint = 0;
    std::int32_t poller_advice = 0;  // how many polls more (or fewer) the worker should keep open
};

struct PolledActivityTask {
    RunRef run;
    std::string namespace_name;
    std::string workflow_type;
    history::StartedActivity activity;
    std::int32_t poller_advice = 0;  // as of a workflow task
};

/// Where shards offer tasks; implemented by matching. Thread safe: calls return at once.
class DispatchSink {
public:
    virtual ~DispatchSink() = default;

    /// The task is (or is about to become) durable and may be handed to a poller.
    virtual void offer(TaskOffer offer) = 0;

    /// The answer to `refill`, and what a shard begins with after a restart. Tasks that are on offer
    /// already may be among them.
    virtual void offer_backlog(BacklogPart part) = 0;

    /// Finds a worker for a query. `unmatched` runs (any thread) if none takes it: at once with
    /// UNAVAILABLE for a sticky queue that no worker polls, with DEADLINE_EXCEEDED or
    /// FAILED_PRECONDITION (no recent poller) at the deadline.
    virtual void offer_query(QueryOffer offer, absl::AnyInvocable<void(absl::Status)> unmatched) = 0;

    /// Whether a worker polled this queue lately enough to be thought alive.
    virtual bool has_recent_poller(const QueueId& queue) = 0;
};

/// What matching asks of the shards once it has paired a task with a poll. Thread safe.
class TaskStarter {
public:
    virtual ~TaskStarter() = default;

    /// NOT_FOUND means that the task is obsolete: matching drops it and tries the next one.
    /// The reply comes once the scheduling of the task is durable.
    virtual void start_workflow_task(const TaskOffer& offer, history::StartWorkflowTaskInput input,
                                     Reply<PolledWorkflowTask> reply) = 0;
    virtual void start_activity(const TaskOffer& offer, history::StartActivityInput input,
                                Reply<PolledActivityTask> reply) = 0;
    /// Loads what a worker needs to answer a query; full history unless the queue is sticky.
    virtual void start_query(const QueryOffer& offer, Reply<PolledWorkflowTask> reply) = 0;
    /// Nobody polls the sticky queue: the task moves to the run's normal queue.
    virtual void give_up_sticky(const TaskOffer& offer) = 0;
    /// The caller of a poll went away after its task had been started but before it was answered.
    /// The start is taken back so that the task is handed out again without waiting for a timeout.
    virtual void return_task(const PolledWorkflowTask& task) = 0;
    virtual void return_task(const PolledActivityTask& task) = 0;
    /// Room again in a queue's window: every shard offers the oldest tasks of its backlog.
    virtual void refill(const QueueId& queue) = 0;
    /// Counts the tasks of a queue that wait, also those that were never offered.
    virtual void count_backlog(const QueueId& queue, Reply<QueueBacklog> reply) = 0;
};

}  // namespace stele::shard
